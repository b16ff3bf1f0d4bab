// SPDX-License-Identifier: Apache-2.0
// The rule for several hosts, as a table.
#include "core/report/exit_status.h"

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

using Codes = std::vector<ExitCode>;

TEST_CASE("One exit code follows from the codes of several hosts") {
  struct Row {
    const char* why;
    Codes hosts;
    ExitCode expected;
  };
  const std::vector<Row> rows = {
      {"no host", {}, ExitCode::kDone},
      {"all done", {ExitCode::kDone, ExitCode::kDone}, ExitCode::kDone},
      {"changes pending on one", {ExitCode::kDone, ExitCode::kChangesPending}, ExitCode::kChangesPending},
      {"the only host failed", {ExitCode::kFailed}, ExitCode::kFailed},
      {"the only host can't be reached", {ExitCode::kUnreachable}, ExitCode::kUnreachable},
      {"all failed alike", {ExitCode::kLeaseHeld, ExitCode::kLeaseHeld}, ExitCode::kLeaseHeld},
      {"all failed, each its own way", {ExitCode::kLeaseHeld, ExitCode::kUnreachable}, ExitCode::kSomeHosts},
      {"one failed, one done", {ExitCode::kUnreachable, ExitCode::kDone}, ExitCode::kSomeHosts},
      {"one failed, one has changes", {ExitCode::kUnreachable, ExitCode::kChangesPending}, ExitCode::kSomeHosts},
      {"one is stuck, one done", {ExitCode::kDone, ExitCode::kStuck}, ExitCode::kStuck},
      {"one is stuck, others failed", {ExitCode::kFailed, ExitCode::kStuck, ExitCode::kUnreachable}, ExitCode::kStuck},
      {"all interrupted", {ExitCode::kInterrupted, ExitCode::kInterrupted}, ExitCode::kInterrupted},
      {"all stale", {ExitCode::kStalePlan, ExitCode::kStalePlan}, ExitCode::kStalePlan},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    CHECK(combined(row.hosts) == row.expected);
  }
}

HostRun run_with(Outcome outcome, Errors errors = {}) {
  HostRun run;
  run.outcome = outcome;
  run.errors = std::move(errors);
  return run;
}

TEST_CASE("A failed run takes the code of its error, a stuck one never") {
  const Error held("lease.held", "held", "", ExitCode::kLeaseHeld);
  CHECK(exit_code_of(run_with(Outcome::kChanged)) == ExitCode::kDone);
  CHECK(exit_code_of(run_with(Outcome::kUnchanged)) == ExitCode::kDone);
  CHECK(exit_code_of(run_with(Outcome::kFailed, {held})) == ExitCode::kLeaseHeld);
  CHECK(exit_code_of(run_with(Outcome::kFailed)) == ExitCode::kFailed);
  CHECK(exit_code_of(run_with(Outcome::kReverted)) == ExitCode::kFailed);
  CHECK(exit_code_of(run_with(Outcome::kReverted, {Error("run.interrupted", "", "", ExitCode::kInterrupted)})) ==
        ExitCode::kInterrupted);
  CHECK(exit_code_of(run_with(Outcome::kStuck, {held})) == ExitCode::kStuck);
  CHECK(exit_code_of(run_with(Outcome::kUnreachable)) == ExitCode::kUnreachable);
}

TEST_CASE("A plan with changes is pending, one without is done, none at all failed") {
  HostPlan plan;
  plan.plan = Plan{};
  CHECK(exit_code_of(plan) == ExitCode::kDone);
  plan.plan->steps.emplace_back();
  CHECK(exit_code_of(plan) == ExitCode::kChangesPending);
  plan.plan.reset();
  plan.errors.emplace_back("x", "y", "", ExitCode::kUsage);
  CHECK(exit_code_of(plan) == ExitCode::kUsage);
}

}  // namespace
}  // namespace sentinel
