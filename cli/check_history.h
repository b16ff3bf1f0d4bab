// SPDX-License-Identifier: Apache-2.0
// .sentinel/checks/<host>.jsonl: earlier audits of a host, one a line, the newest last. It answers "what changed since"
// and draws a line over time; a file that is lost or can't be read only costs that.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/model/audit.h"

namespace sentinel {

/// How many are kept of each host, over all profiles.
inline constexpr std::size_t kKeptAudits = 200;

/// Those of one profile, oldest first, the newest with its verdicts; lines that are none are passed over.
std::vector<PastAudit> load_history(const std::string& project_directory, const std::string& host,
                                    const std::string& profile);

/// Adds one and forgets the oldest above kKeptAudits.
Result<void> add_to_history(const std::string& project_directory, const std::string& host, const PastAudit& audit);

}  // namespace sentinel
