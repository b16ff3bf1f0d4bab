// SPDX-License-Identifier: Apache-2.0
// The log: JSON lines on a descriptor, written by a thread of its own, so that a stuck reader of the log never stops a
// worker. What doesn't fit in memory is dropped and counted. No secret and no prompt ever goes into a line.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "core/base/clock.h"

namespace sentinel::proxy {

class Log {
 public:
  /// Writes to `descriptor`, which it doesn't own.
  explicit Log(int descriptor, const Clock& clock);
  /// Writes what is left.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// One finished line, newline included. Any thread; never blocks on the descriptor.
  void append(std::string_view line);
  /// {"time":…,"level":…,"event":…,<fields>}; `fields` are JSON members without braces, may be empty.
  void event(std::string_view level, std::string_view name, std::string_view fields = "");

  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  const Clock& clock() const { return clock_; }

 private:
  void run();

  int descriptor_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::string waiting_;
  bool stop_ = false;
  std::atomic<std::uint64_t> dropped_{0};
  std::thread thread_;
};

}  // namespace sentinel::proxy
