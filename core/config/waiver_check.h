// SPDX-License-Identifier: Apache-2.0
// What of a project's waivers only the day and the checklists tell: too long ones, and controls that don't exist.
#pragma once

#include <string>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/project.h"

namespace sentinel {

/// A waiver may hold for so long; then somebody has to look again.
inline constexpr int kLongestWaiverDays = 90;

/// `today` is a day in UTC, "2026-11-26". A waiver that is valid once stays so: its end only comes nearer. Errors
/// `waiver.too-long`, `waiver.unknown-control`; an expired one is none, `check` reports it.
void check_waivers(const Project& project, const std::vector<std::string>& controls, const std::string& today,
                   Diagnostics& diagnostics);

/// The waivers that a host is selected by, in the project's order.
std::vector<Waiver> waivers_of(const Project& project, const std::string& host);

}  // namespace sentinel
