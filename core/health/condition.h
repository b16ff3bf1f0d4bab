// SPDX-License-Identifier: Apache-2.0
// The condition of one probe over time: single answers count only in a row, and a probe that goes to and fro is
// flapping, which is said once instead of at every turn. Pure: times are handed in.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>

#include "core/model/health.h"

namespace sentinel {

enum class Condition { kUnknown, kHealthy, kUnhealthy, kFlapping };

/// "unknown", "healthy", "unhealthy", "flapping"
std::string name_of(Condition condition);

/// So many turns between healthy and unhealthy in kFlapWindow are flapping.
inline constexpr std::size_t kFlapTurns = 4;
inline constexpr std::chrono::minutes kFlapWindow{10};
/// How long a flapping probe must stay as it is until it counts again; doubled by each further flapping, up to the
/// most, and forgotten after a time of the most without any turn.
inline constexpr std::chrono::minutes kFlapQuiet{2};
inline constexpr std::chrono::minutes kMostFlapQuiet{32};

class ProbeCondition {
 public:
  explicit ProbeCondition(const Probe& probe) : needed_(probe.successes), allowed_(probe.failures) {}

  /// Takes an answer seen at `now` (of a clock that never goes back); the new condition when it changed.
  std::optional<Condition> take(bool healthy, std::chrono::nanoseconds now);

  Condition condition() const { return shown_; }

 private:
  void turn(Condition to, std::chrono::nanoseconds now);

  std::uint32_t needed_;
  std::uint32_t allowed_;
  std::uint32_t good_ = 0;                 ///< in a row
  std::uint32_t bad_ = 0;                  ///< in a row
  Condition below_ = Condition::kUnknown;  ///< by rows alone, whatever is shown
  Condition shown_ = Condition::kUnknown;
  std::deque<std::chrono::nanoseconds> turns_;
  std::chrono::nanoseconds last_turn_{0};
  std::chrono::minutes quiet_ = kFlapQuiet;
};

/// `interval` and up to a tenth more or less: hosts that boot together don't ask together.
std::chrono::milliseconds with_jitter(std::chrono::milliseconds interval, std::mt19937& random);

}  // namespace sentinel
