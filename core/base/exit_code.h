// SPDX-License-Identifier: Apache-2.0
// The exit codes of all three programs; docs/errors.md and the man pages list the same numbers.
#pragma once

namespace sentinel {

enum class ExitCode : int {
  kDone = 0,            ///< done, or nothing to do
  kFailed = 1,          ///< failed, nothing left half-done
  kUsage = 2,           ///< usage or configuration
  kChangesPending = 3,  ///< `plan` or `--dry-run` found changes
  kFindings = 4,        ///< findings at or above --fail-on
  kSomeHosts = 5,       ///< some hosts failed, others done
  kRolledBack = 6,      ///< unhealthy, rolled back
  kStuck = 7,           ///< failed and not reverted: needs a person
  kUnreachable = 8,     ///< unreachable, or host key refused
  kLeaseHeld = 9,       ///< lease held by another
  kStalePlan = 10,      ///< the host is not as the plan saw it
  kInconclusive = 11,   ///< a control could not be judged
  kBug = 70,            ///< a bug in sentinel
  kInterrupted = 130,   ///< interrupted before activation, or reverted on request
};

}  // namespace sentinel
