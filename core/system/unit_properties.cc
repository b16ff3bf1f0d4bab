// SPDX-License-Identifier: Apache-2.0
#include "core/system/unit_properties.h"

#include <algorithm>

namespace sentinel {
namespace {

constexpr std::chrono::seconds kSystemctl{60};

}  // namespace

Result<std::map<std::string, std::string>> unit_properties(Reader& machine, const std::string& unit,
                                                           const std::string& names) {
  SENTINEL_TRY(const auto shown,
               machine.query({{"systemctl", "show", "--property=" + names, unit}, {}, {}, kSystemctl, {}}));
  if (shown.status != 0) {
    return Error("systemd.unreachable", "systemctl show " + unit + " failed: " + shown.reason());
  }
  std::map<std::string, std::string> out;
  const auto& text = shown.output;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = text.substr(begin, end - begin);
    if (const auto equals = line.find('='); equals != std::string::npos) {
      out[line.substr(0, equals)] = line.substr(equals + 1);
    }
    begin = end + 1;
  }
  return out;
}

}  // namespace sentinel
