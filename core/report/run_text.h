// SPDX-License-Identifier: Apache-2.0
// The end of a run and the state of hosts, one line per host.
#pragma once

#include <string>
#include <vector>

#include "core/report/host_report.h"
#include "core/report/style.h"

namespace sentinel {

/// "changed 12 steps in 34.1 s, generation 3"; for the display's last line of one host.
std::string outcome_text(const HostRun& run);

std::string run_text(const std::vector<HostRun>& hosts, const Style& style);
std::string status_text(const std::vector<HostStatus>& hosts, const Style& style);

}  // namespace sentinel
