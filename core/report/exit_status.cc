// SPDX-License-Identifier: Apache-2.0
// An outcome decides, and within a failure the error's own code (lease held, stale plan, interrupted ...).
#include "core/report/exit_status.h"

#include <algorithm>

namespace sentinel {
namespace {

bool is_success(ExitCode code) { return code == ExitCode::kDone || code == ExitCode::kChangesPending; }

ExitCode code_of(const Errors& errors, ExitCode otherwise) {
  for (const Error& error : errors) {
    if (error.exit != ExitCode::kDone) return error.exit;
  }
  return otherwise;
}

}  // namespace

ExitCode combined(const std::vector<ExitCode>& hosts) {
  std::vector<ExitCode> failures;
  std::copy_if(hosts.begin(), hosts.end(), std::back_inserter(failures), [](ExitCode code) { return !is_success(code); });
  if (failures.empty()) {
    const bool pending = std::find(hosts.begin(), hosts.end(), ExitCode::kChangesPending) != hosts.end();
    return pending ? ExitCode::kChangesPending : ExitCode::kDone;
  }
  if (std::find(failures.begin(), failures.end(), ExitCode::kStuck) != failures.end()) return ExitCode::kStuck;
  const bool all_failed = failures.size() == hosts.size();
  const bool same = std::all_of(failures.begin(), failures.end(), [&](ExitCode code) { return code == failures[0]; });
  return all_failed && same ? failures[0] : ExitCode::kSomeHosts;
}

ExitCode exit_code_of(const HostPlan& host) {
  if (host.failed()) return code_of(host.errors, ExitCode::kFailed);
  return host.has_changes() ? ExitCode::kChangesPending : ExitCode::kDone;
}

ExitCode exit_code_of(const HostRun& host) {
  switch (host.outcome) {
    case Outcome::kUnchanged:
    case Outcome::kChanged: return ExitCode::kDone;
    case Outcome::kStuck: return ExitCode::kStuck;
    case Outcome::kUnreachable: return code_of(host.errors, ExitCode::kUnreachable);
    case Outcome::kReverted:
    case Outcome::kFailed: return code_of(host.errors, ExitCode::kFailed);
  }
  return ExitCode::kBug;
}

ExitCode exit_code_of(const HostStatus& host) {
  return host.errors.empty() ? ExitCode::kDone : code_of(host.errors, ExitCode::kUnreachable);
}

}  // namespace sentinel
