// SPDX-License-Identifier: Apache-2.0
// An audit of the selected hosts: one connection and one question each. What comes back is evidence; it is judged by
// core/audit, here or at a replay.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/host_connection.h"
#include "core/audit/bundle.h"
#include "core/config/checklist.h"

namespace sentinel {

/// The items of a profile; nothing when anything is wrong with it or with the project's waivers, which are measured
/// against all checklists and the day of `taken_at`.
std::optional<std::vector<ChecklistItem>> load_profile(const Workspace& workspace, const std::string& profile,
                                                       const std::string& taken_at, Diagnostics& diagnostics);

/// In the order of the workspace's hosts, with waivers and history. Error: what fails before any connection.
Result<std::vector<HostEvidence>> ask_for_evidence(const Context& context, const Workspace& workspace,
                                                   const std::string& profile, const std::vector<ChecklistItem>& items);

}  // namespace sentinel
