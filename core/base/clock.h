// SPDX-License-Identifier: Apache-2.0
// Time as a parameter: code that waits or stamps takes a Clock, so tests decide what time it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace sentinel {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Seconds since 1970-01-01T00:00:00Z with milliseconds.
  virtual std::chrono::system_clock::time_point now() const = 0;
  /// Never goes back; counts through suspend (CLOCK_BOOTTIME), so it compares with process start times.
  virtual std::chrono::nanoseconds since_boot() const = 0;
  virtual void sleep(std::chrono::milliseconds duration) = 0;
};

class SystemClock final : public Clock {
 public:
  std::chrono::system_clock::time_point now() const override;
  std::chrono::nanoseconds since_boot() const override;
  void sleep(std::chrono::milliseconds duration) override;
};

/// "2026-01-31T08:15:30.123Z"
std::string to_rfc3339(std::chrono::system_clock::time_point time);

/// Seconds since 1970 of such a text, whatever digits its fraction has; nothing for other text.
std::optional<std::int64_t> unix_seconds(const std::string& rfc3339);

}  // namespace sentinel
