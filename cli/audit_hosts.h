// SPDX-License-Identifier: Apache-2.0
// An audit of the selected hosts: one connection and one question each, judged here.
#pragma once

#include <string>
#include <vector>

#include "cli/host_connection.h"
#include "core/config/checklist.h"
#include "core/model/audit.h"
#include "core/model/observation.h"

namespace sentinel {

/// One host as it was asked and as it answered: what judging needs, and nothing else.
struct HostCase {
  std::vector<Control> controls;
  HostRecord record;
  Errors errors;  ///< why there is no record
};

/// In the order of the workspace's hosts. Error: what fails before any connection.
Result<std::vector<HostCase>> ask_for_records(const Context& context, const Workspace& workspace,
                                              const std::vector<ChecklistItem>& items);

/// Pure: the same cases give the same report.
AuditReport judge_cases(const std::vector<HostCase>& cases, const std::string& profile, const std::string& project,
                        const std::string& taken_at);

}  // namespace sentinel
