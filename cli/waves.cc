// SPDX-License-Identifier: Apache-2.0
#include "cli/waves.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sentinel {

std::vector<Wave> waves_of(std::size_t count, const WaveChoices& choices) {
  std::vector<Wave> out;
  std::size_t size = choices.canary > 0 ? choices.canary : choices.wave;
  for (std::size_t begin = 0; begin < count; begin = out.back().end) {
    const auto end = size == 0 ? count : std::min(count, begin + size);
    out.push_back({begin, end});
    size = choices.wave;
  }
  return out;
}

std::string describe_waves(const std::vector<std::string>& hosts, const WaveChoices& choices) {
  const auto waves = waves_of(hosts.size(), choices);
  if (waves.size() < 2) return {};
  const std::string further = choices.wave == 0 ? "all others" : fmt::format("{} at a time", choices.wave);
  if (choices.canary == 0) return further;
  const auto first = hosts.begin() + static_cast<std::ptrdiff_t>(waves.front().end);
  return fmt::format("{} first, then {}", fmt::join(hosts.begin(), first, ", "), further);
}

}  // namespace sentinel
