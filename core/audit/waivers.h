// SPDX-License-Identifier: Apache-2.0
// Waivers put to findings. The day is a parameter (UTC, of the audit's own clock), so a replay waives what was waived.
#pragma once

#include <string>
#include <vector>

#include "core/model/audit.h"

namespace sentinel {

/// Turns the failures and warnings that `waivers` (those of this host) accept into waived, which stay in the report
/// with owner, reason and last day. A waiver whose last day is over changes no verdict: the finding names it as
/// expired. An unknown is never waived: what could not be judged was not accepted by anybody. `today` is "2027-01-31".
void apply_waivers(HostAudit& audit, const std::vector<Waiver>& waivers, const std::string& today);

}  // namespace sentinel
