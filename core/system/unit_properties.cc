// SPDX-License-Identifier: Apache-2.0
#include "core/system/unit_properties.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sentinel {
namespace {

constexpr std::chrono::seconds kSystemctl{60};

}  // namespace

Result<std::vector<UnitProperties>> units_properties(Reader& machine, const std::vector<std::string>& units,
                                                     const std::string& names) {
  std::vector<UnitProperties> out;
  if (units.empty()) return out;
  std::vector<std::string> argv{"systemctl", "show", "--property=" + names};
  argv.insert(argv.end(), units.begin(), units.end());
  SENTINEL_TRY(const auto shown, machine.query({std::move(argv), {}, {}, kSystemctl, {}}));
  const auto asked = fmt::format("systemctl show {}", fmt::join(units, " "));
  if (shown.status != 0) return Error("systemd.unreachable", asked + " failed: " + shown.reason());
  out.emplace_back();
  const auto& text = shown.output;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = text.substr(begin, end - begin);
    if (line.empty()) out.emplace_back();
    if (const auto equals = line.find('='); equals != std::string::npos) {
      out.back()[line.substr(0, equals)] = line.substr(equals + 1);
    }
    begin = end + 1;
  }
  if (out.size() == units.size()) return out;
  return Error("systemd.malformed", fmt::format("{} described {} units", asked, out.size()));
}

Result<UnitProperties> unit_properties(Reader& machine, const std::string& unit, const std::string& names) {
  SENTINEL_TRY(auto found, units_properties(machine, {unit}, names));
  return std::move(found.front());
}

}  // namespace sentinel
