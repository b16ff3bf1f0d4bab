// SPDX-License-Identifier: Apache-2.0
// Deadlines are monotonic; poll is repeated after signals.
#include "core/transport/patience.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace sentinel {

using std::chrono::milliseconds;

namespace {

std::chrono::steady_clock::time_point after(milliseconds limit) {
  const auto now = std::chrono::steady_clock::now();
  const auto most = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::time_point::max() - now);
  return limit >= most ? std::chrono::steady_clock::time_point::max() : now + limit;
}

}  // namespace

Patience::Patience(milliseconds limit, int interrupt_fd) : deadline_(after(limit)), interrupt_fd_(interrupt_fd) {}

milliseconds Patience::remaining() const {
  if (deadline_ == Time::max()) return milliseconds::max();
  // Rounded up, so that a wait for the rest doesn't end a moment before the deadline.
  const auto left = std::chrono::ceil<milliseconds>(deadline_ - std::chrono::steady_clock::now());
  return std::max(left, milliseconds::zero());
}

bool Patience::expired() const {
  return remaining() == milliseconds::zero();
}

void Patience::extend(milliseconds by) {
  if (deadline_ != Time::max()) deadline_ += by;
}

Patience::Woken Patience::wait(std::vector<pollfd>& watched, milliseconds at_most) {
  Patience step(std::min(at_most, remaining()), -1);
  std::vector<pollfd> all = watched;
  if (interrupt_fd_ >= 0) all.push_back({interrupt_fd_, POLLIN, 0});
  while (true) {
    const auto left = step.remaining();
    const int timeout =
        left == milliseconds::max() ? -1 : static_cast<int>(std::min<milliseconds::rep>(left.count(), INT_MAX));
    const int ready = ::poll(all.data(), all.size(), timeout);
    if (ready < 0 && errno == EINTR) continue;
    if (interrupt_fd_ >= 0 && all.back().revents != 0) return Woken::kInterrupted;
    if (ready == 0) {
      if (step.expired()) return Woken::kTimeout;
      continue;
    }
    std::copy_n(all.begin(), watched.size(), watched.begin());
    return Woken::kReady;
  }
}

Error unreachable(std::string code, std::string message, std::string hint) {
  return {std::move(code), std::move(message), std::move(hint), ExitCode::kUnreachable};
}

Error interrupted() {
  return {"ssh.interrupted", "interrupted", {}, ExitCode::kInterrupted};
}

}  // namespace sentinel
