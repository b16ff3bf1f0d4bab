// SPDX-License-Identifier: Apache-2.0
// Dates were checked by the schema; here they are only counted.
#include "core/config/waiver_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/base/suggest.h"

namespace sentinel {
namespace {

// Of a date that is one.
std::chrono::sys_days day_of(const std::string& date) {
  return std::chrono::year(std::stoi(date.substr(0, 4))) / std::chrono::month(std::stoul(date.substr(5, 2))) /
         std::chrono::day(std::stoul(date.substr(8, 2)));
}

std::string text_of(std::chrono::sys_days days) {
  const std::chrono::year_month_day date(days);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

}  // namespace

void check_waivers(const Project& project, const std::vector<std::string>& controls, const std::string& today,
                   Diagnostics& diagnostics) {
  const std::chrono::sys_days latest = day_of(today) + std::chrono::days(kLongestWaiverDays);
  for (const auto& [waiver, control_position, until_position] : project.waivers) {
    if (std::find(controls.begin(), controls.end(), waiver.control) == controls.end()) {
      diagnostics.add(Error("waiver.unknown-control", fmt::format("there is no control '{}' to waive", waiver.control),
                            did_you_mean(waiver.control, controls))
                          .at(control_position));
    }
    if (day_of(waiver.until) > latest) {
      diagnostics.add(Error("waiver.too-long",
                            fmt::format("the waiver of {} holds until {}, more than {} days from today", waiver.control,
                                        waiver.until, kLongestWaiverDays),
                            fmt::format("the latest day is {}; look at it again then", text_of(latest)))
                          .at(until_position));
    }
  }
}

std::vector<Waiver> waivers_of(const Project& project, const std::string& host) {
  std::vector<Waiver> out;
  for (const ProjectWaiver& entry : project.waivers) {
    // Patterns that match nothing were errors when the project was read.
    const auto selected = select_hosts(project, entry.waiver.hosts);
    if (!selected.ok()) continue;
    const bool matches =
        std::any_of(selected->begin(), selected->end(), [&](const Host* candidate) { return candidate->name == host; });
    if (matches) out.push_back(entry.waiver);
  }
  return out;
}

}  // namespace sentinel
