// SPDX-License-Identifier: Apache-2.0
// From what happened on each host to the one exit code CI sees.
#pragma once

#include <vector>

#include "core/base/exit_code.h"
#include "core/report/host_report.h"

namespace sentinel {

/// The rule for several hosts: 7 if any is stuck; otherwise the common code if all hosts that failed share one and no host
/// succeeded; otherwise 5. `hosts` holds each host's own code; kDone and kChangesPending are successes. Without failures
/// kChangesPending wins over kDone.
ExitCode combined(const std::vector<ExitCode>& hosts);

ExitCode exit_code_of(const HostPlan& host);
ExitCode exit_code_of(const HostRun& host);
ExitCode exit_code_of(const HostStatus& host);

template <typename Report>
ExitCode exit_code_of(const std::vector<Report>& hosts) {
  std::vector<ExitCode> codes;
  codes.reserve(hosts.size());
  for (const auto& host : hosts) codes.push_back(exit_code_of(host));
  return combined(codes);
}

}  // namespace sentinel
