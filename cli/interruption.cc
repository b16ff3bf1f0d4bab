// SPDX-License-Identifier: Apache-2.0
// The handler only writes a byte to a pipe (all that is safe there); a thread turns bytes into levels. A handler, not a
// blocked signal: programs we start must get the default behaviour back.
#include "cli/interruption.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>

namespace sentinel {
namespace {

// Written by the handler, which can reach nothing else.
int g_signal_pipe = -1;
constexpr std::array<int, 2> kSignals{SIGINT, SIGTERM};

void on_signal(int) {
  const int saved = errno;
  const char byte = 1;
  [[maybe_unused]] const ssize_t written = ::write(g_signal_pipe, &byte, 1);
  errno = saved;
}

Descriptor new_event() {
  Descriptor event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) std::abort();
  return event;
}

void set(const Descriptor& event) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event.get(), &one, sizeof one);
}

}  // namespace

Interruption::Interruption() : stop_(new_event()) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
  g_signal_pipe = ends[1];
  thread_ = std::thread([this, read_end = Descriptor(ends[0])]() mutable {
    for (;;) {
      std::array<pollfd, 2> watched{{{read_end.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
      if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
      if (watched[1].revents != 0) return;
      char byte = 0;
      while (::read(read_end.get(), &byte, 1) == 1) {
        const std::lock_guard lock(mutex_);
        ++level_;
        fire_reached();
      }
    }
  });
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int number : kSignals) sigaction(number, &action, nullptr);
}

Interruption::~Interruption() {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  for (const int number : kSignals) sigaction(number, &ignore, nullptr);
  set(stop_);
  thread_.join();
  ::close(g_signal_pipe);
}

int Interruption::level() const {
  const std::lock_guard lock(mutex_);
  return level_;
}

void Interruption::fire_reached() {
  for (Watch* watch : watches_) {
    if (level_ >= watch->threshold_) set(watch->event_);
  }
}

Interruption::Watch::Watch(Interruption& owner, int threshold) : owner_(owner), threshold_(threshold), event_(new_event()) {
  const std::lock_guard lock(owner_.mutex_);
  owner_.watches_.push_back(this);
  owner_.fire_reached();
}

Interruption::Watch::~Watch() {
  const std::lock_guard lock(owner_.mutex_);
  owner_.watches_.remove(this);
}

void Interruption::Watch::raise_threshold(int threshold) {
  const std::lock_guard lock(owner_.mutex_);
  threshold_ = threshold;
  std::uint64_t count = 0;
  while (::read(event_.get(), &count, sizeof count) > 0) {
  }
  owner_.fire_reached();
}

}  // namespace sentinel
