// SPDX-License-Identifier: Apache-2.0
#include "core/release/masked_log.h"

namespace sentinel {
namespace {

// A value as short as this is in every text.
constexpr std::size_t kShortestMasked = 4;

}  // namespace

std::vector<std::string> masked(std::vector<std::string> lines, HostState& host) {
  const auto names = host.secrets.names();
  if (!names.ok()) return {};
  for (const auto& name : *names) {
    const auto secret = host.secrets.read(name);
    if (!secret.ok() || !*secret || (*secret)->reveal().size() < kShortestMasked) continue;
    const std::string value((*secret)->reveal());
    for (auto& line : lines) {
      for (auto at = line.find(value); at != std::string::npos; at = line.find(value, at)) {
        line.replace(at, value.size(), "[secret " + name + "]");
      }
    }
  }
  return lines;
}

}  // namespace sentinel
