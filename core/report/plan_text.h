// SPDX-License-Identifier: Apache-2.0
// A plan for people: grouped by host, one mark per step, values or diffs below it, and by name everything that can't be
// undone. Texts come from hosts, so they are made printable here.
#pragma once

#include <string>
#include <vector>

#include "core/report/host_report.h"
#include "core/report/style.h"

namespace sentinel {

struct PlanTextOptions {
  Style style;
  bool verbose = false;  ///< whole diffs and whole new files; otherwise long ones are cut
};

/// All hosts, in the order given. Hosts without a plan are named; their errors are for the diagnostics renderer.
std::string plan_text(const std::vector<HostPlan>& hosts, const PlanTextOptions& options);

/// The steps that can't be taken back, one line each with its reason; empty when there is none.
std::string irreversible_text(const std::vector<HostPlan>& hosts, const Style& style);

/// "2 hosts: 12 steps on prod-1 and prod-2, 1 in sync …": the last line before the question.
std::string plan_summary(const std::vector<HostPlan>& hosts);

}  // namespace sentinel
