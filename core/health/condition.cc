// SPDX-License-Identifier: Apache-2.0
// Two levels: what rows of answers say, and what is shown of it.
#include "core/health/condition.h"

#include <algorithm>

namespace sentinel {

using std::chrono::nanoseconds;

std::string name_of(Condition condition) {
  switch (condition) {
    case Condition::kUnknown: return "unknown";
    case Condition::kHealthy: return "healthy";
    case Condition::kUnhealthy: return "unhealthy";
    case Condition::kFlapping: return "flapping";
  }
  return "?";
}

void ProbeCondition::turn(Condition to, nanoseconds now) {
  const bool first = below_ == Condition::kUnknown;
  below_ = to;
  if (first) return;
  if (now - last_turn_ >= kMostFlapQuiet) quiet_ = kFlapQuiet;
  last_turn_ = now;
  turns_.push_back(now);
  while (turns_.size() > kFlapTurns) turns_.pop_front();
}

std::optional<Condition> ProbeCondition::take(bool healthy, nanoseconds now) {
  good_ = healthy ? good_ + 1 : 0;
  bad_ = healthy ? 0 : bad_ + 1;
  if (good_ >= std::max(needed_, 1U) && below_ != Condition::kHealthy) turn(Condition::kHealthy, now);
  if (bad_ >= std::max(allowed_, 1U) && below_ != Condition::kUnhealthy) turn(Condition::kUnhealthy, now);

  Condition next = below_;
  if (shown_ == Condition::kFlapping) {
    if (now - last_turn_ < quiet_) {
      next = Condition::kFlapping;
    } else {
      quiet_ = std::min(quiet_ * 2, std::chrono::minutes(kMostFlapQuiet));
      turns_.clear();
    }
  } else if (turns_.size() == kFlapTurns && now - turns_.front() < kFlapWindow) {
    next = Condition::kFlapping;
  }
  if (next == shown_) return {};
  shown_ = next;
  return next;
}

std::chrono::milliseconds with_jitter(std::chrono::milliseconds interval, std::mt19937& random) {
  const auto most = interval.count() / 10;
  return interval + std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(-most, most)(random));
}

}  // namespace sentinel
