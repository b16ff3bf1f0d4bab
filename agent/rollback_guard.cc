// SPDX-License-Identifier: Apache-2.0
// Every doubt ends in "degraded": a rollback that can't be remembered is not begun.
#include "agent/rollback_guard.h"

#include <fmt/format.h>

namespace sentinel::agent {

Result<GuardReport> RollbackGuard::decide(const std::string& why) {
  if (window_.count() == 0) return GuardReport{GuardOutcome::kDegraded, "automatic rollback is off"};
  SENTINEL_TRY(const auto current, releases_.current());
  if (!current) return GuardReport{GuardOutcome::kDegraded, "no release is in force"};
  const auto age = clock_.now() - current->since;
  if (age > window_) {
    return GuardReport{GuardOutcome::kDegraded,
                       fmt::format("release {} is in force for too long to be the cause", current->id)};
  }
  look();
  SENTINEL_CHECK(memory_.begin({app_, current->id, "", why, to_rfc3339(clock_.now())}));
  SENTINEL_CHECK(releases_.roll_back());
  return GuardReport{GuardOutcome::kRollingBack, fmt::format("release {} is to be taken back", current->id)};
}

GuardReport RollbackGuard::unhealthy(const std::string& why) {
  const auto decided = decide(why);
  return decided.ok() ? *decided : GuardReport{GuardOutcome::kDegraded, decided.error().message};
}

void RollbackGuard::look() {
  const auto current = releases_.current();
  // What can't be written now is written at the next look.
  if (current.ok() && *current) static_cast<void>(memory_.arrived(app_, (*current)->id));
}

}  // namespace sentinel::agent
