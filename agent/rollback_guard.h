// SPDX-License-Identifier: Apache-2.0
// Takes back an unhealthy release by itself: at most one step, only while the release is new, and never one that came
// by such a step. Otherwise it says "degraded": a person has to look, and what serves goes on serving.
#pragma once

#include <chrono>
#include <string>

#include "agent/release_control.h"
#include "agent/restart_window.h"
#include "core/base/clock.h"
#include "core/health/rollback_memory.h"

namespace sentinel::agent {

enum class GuardOutcome {
  kRollingBack,
  kDegraded,
  kWaiting,  ///< a transaction is at work; to be asked again when it has ended
};

struct GuardReport {
  GuardOutcome outcome = GuardOutcome::kDegraded;
  std::string reason;
};

class RollbackGuard {
 public:
  /// `window`: how long after it came into force a release may be taken back; zero: never.
  RollbackGuard(ReleaseControl& releases, RollbackMemory& memory, Clock& clock, std::string app,
                std::chrono::milliseconds window)
      : releases_(releases), memory_(memory), clock_(clock), app_(std::move(app)), window_(window) {}

  /// To be called once when the application became unhealthy, with the reason.
  GuardReport unhealthy(const std::string& why);
  /// To be called now and then: remembers which release came by a step. A text: such a step has just been seen to
  /// have failed, and how.
  std::string look();
  /// To be called now and then. A text: the release in force was started again too often within the last hour, though
  /// probes may find it well in between. Said once, until an hour went by without any; not while a transaction is at
  /// work.
  std::string restarting();
  /// Whether the release in force was started less than `period` ago, so that failures say nothing yet.
  bool starting(std::chrono::milliseconds period);
  /// Whether a transaction is at work, or nobody knows.
  bool busy();

  RollbackCounts counts() const { return memory_.counts(app_); }

 private:
  Result<GuardReport> decide(const std::string& why);

  ReleaseControl& releases_;
  RollbackMemory& memory_;
  Clock& clock_;
  std::string app_;
  std::chrono::milliseconds window_;
  std::string counted_;  ///< the release whose restarts these are
  RestartWindow restarts_;
  bool restarting_ = false;  ///< that was said of it
};

}  // namespace sentinel::agent
