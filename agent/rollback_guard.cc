// SPDX-License-Identifier: Apache-2.0
// Every doubt ends in "degraded": a rollback that can't be remembered is not begun.
#include "agent/rollback_guard.h"

#include <fmt/format.h>

#include "core/health/bake.h"

namespace sentinel::agent {

Result<GuardReport> RollbackGuard::decide(const std::string& why) {
  if (window_.count() == 0) return GuardReport{GuardOutcome::kDegraded, "automatic rollback is off"};
  SENTINEL_TRY(const auto current, releases_.current());
  if (!current) return GuardReport{GuardOutcome::kDegraded, "no release is in force"};
  SENTINEL_TRY(const bool busy, releases_.busy());
  if (busy) return GuardReport{GuardOutcome::kWaiting, "a transaction is at work, and judges by itself"};
  const auto age = clock_.now() - current->since;
  if (age > window_) {
    return GuardReport{GuardOutcome::kDegraded,
                       fmt::format("release {} is in force for too long to be the cause", current->id)};
  }
  look();
  SENTINEL_CHECK(memory_.begin({app_, current->id, "", why, to_rfc3339(clock_.now()), ""}));
  SENTINEL_CHECK(releases_.roll_back());
  return GuardReport{GuardOutcome::kRollingBack, fmt::format("release {} is to be taken back", current->id)};
}

GuardReport RollbackGuard::unhealthy(const std::string& why) {
  const auto decided = decide(why);
  return decided.ok() ? *decided : GuardReport{GuardOutcome::kDegraded, decided.error().message};
}

std::string RollbackGuard::look() {
  const auto current = releases_.current();
  if (!current.ok() || !*current) return {};
  const auto& id = (*current)->id;
  // What can't be written now is written at the next look.
  static_cast<void>(memory_.arrived(app_, id));
  if (!memory_.under_way(app_, id)) return {};
  const auto ended = releases_.ended();
  if (!ended.ok() || ended->empty()) return {};
  // It may have come between the two questions.
  const auto now = releases_.current();
  if (!now.ok() || !*now || (*now)->id != id) return {};
  const auto news = memory_.failed(app_, id, *ended);
  if (!news.ok() || !*news) return {};
  return fmt::format("release {} could not be taken back ({}): sentinel-agent history says more", id, *ended);
}

std::string RollbackGuard::restarting() {
  const auto current = releases_.current();
  if (!current.ok() || !*current) return {};
  const auto& id = (*current)->id;
  const auto activity = releases_.activity(id);
  if (!activity.ok()) return {};
  const auto now = clock_.since_boot();
  if (counted_ != id) {
    // What came into force within the hour has its restarts from then, unless it ran all along, as one that a deploy
    // came back to does.
    const auto age = clock_.now() - (*current)->since;
    const bool anew = age < RestartWindow::kSpan && activity->age && *activity->age < age;
    restarts_.begin(now, anew ? 0 : activity->restarts);
    counted_ = id;
    restarting_ = false;
  }
  const auto times = restarts_.look(now, activity->restarts);
  if (times == 0) restarting_ = false;
  if (restarting_ || times <= kRestartsAllowed || busy()) return {};
  restarting_ = true;
  return fmt::format("release {} was started again {} times within an hour", id, times);
}

bool RollbackGuard::busy() {
  const auto busy = releases_.busy();
  return !busy.ok() || *busy;
}

bool RollbackGuard::starting(std::chrono::milliseconds period) {
  if (period.count() == 0) return false;
  const auto current = releases_.current();
  if (!current.ok() || !*current) return false;
  if (clock_.now() - (*current)->since < period) return true;
  const auto activity = releases_.activity((*current)->id);
  return activity.ok() && activity->age && *activity->age < period;
}

}  // namespace sentinel::agent
