// SPDX-License-Identifier: Apache-2.0
#include "proxy/observe/log.h"

#include <errno.h>
#include <fmt/compile.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "proxy/json/cursor.h"

namespace sentinel::proxy {
namespace {

constexpr std::size_t kMostWaiting = std::size_t{4} << 20;
constexpr std::chrono::milliseconds kBatch{50};  // lines of that time go out in one write

/// All of it, or as much as the descriptor takes before it fails.
void write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      pollfd waiting{descriptor, POLLOUT, 0};
      ::poll(&waiting, 1, -1);
    } else if (written == 0 || errno != EINTR) {
      return;
    }
  }
}

}  // namespace

Log::Log(int descriptor, const Clock& clock) : descriptor_(descriptor), clock_(clock), thread_([this] { run(); }) {}

Log::~Log() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Log::append(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() + line.size() > kMostWaiting) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const bool was_empty = waiting_.empty();
  waiting_.append(line);
  if (was_empty) wake_.notify_one();
}

void Log::event(std::string_view level, std::string_view name, std::string_view fields) {
  append(fmt::format(FMT_COMPILE("{{\"time\":\"{}\",\"level\":\"{}\",\"event\":\"{}\"{}{}}}\n"),
                     to_rfc3339(clock_.now()), level, name, fields.empty() ? "" : ",", fields));
}

void Log::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (!stop_) wake_.wait_for(lock, kBatch, [this] { return stop_; });
    std::string lines;
    lines.swap(waiting_);
    const bool last = stop_;
    lock.unlock();
    write_all(descriptor_, lines);
    lock.lock();
    if (last && waiting_.empty()) return;
  }
}

}  // namespace sentinel::proxy
