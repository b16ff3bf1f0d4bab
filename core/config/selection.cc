// SPDX-License-Identifier: Apache-2.0
// Which hosts a pattern means: "web*,!web3". Tags and names share one namespace, as people think of them.
#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "core/base/suggest.h"
#include "core/config/project.h"

namespace sentinel {
namespace {

bool matches(const std::string& pattern, const std::string& name) {
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

bool matches(const std::string& pattern, const Host& host) {
  return matches(pattern, host.name) ||
         std::any_of(host.tags.begin(), host.tags.end(), [&](const std::string& tag) { return matches(pattern, tag); });
}

std::vector<std::string> split(const std::string& pattern) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin <= pattern.size();) {
    const auto end = std::min(pattern.find(',', begin), pattern.size());
    std::string part = pattern.substr(begin, end - begin);
    part.erase(0, part.find_first_not_of(' '));
    part.erase(part.find_last_not_of(' ') + 1);
    if (!part.empty()) out.push_back(std::move(part));
    begin = end + 1;
  }
  return out;
}

Error no_such_host(const Project& project, const std::string& part) {
  std::vector<std::string> known;
  for (const auto& host : project.hosts) {
    known.push_back(host.name);
    known.insert(known.end(), host.tags.begin(), host.tags.end());
  }
  std::string hint = did_you_mean(part, known);
  if (hint.empty()) {
    const std::set<std::string> names(known.begin(), known.end());
    if (names.size() <= 20) hint = fmt::format("hosts and tags: {}", fmt::join(names, ", "));
  }
  return Error("project.no-such-host", fmt::format("no host has the name or tag '{}'", part), hint, ExitCode::kUsage);
}

}  // namespace

Result<std::vector<const Host*>> select_hosts(const Project& project, const std::string& pattern) {
  const auto parts = split(pattern);
  const bool all = std::all_of(parts.begin(), parts.end(), [](const std::string& part) { return part[0] == '!'; });
  std::set<std::string> chosen;
  for (const auto& host : project.hosts) {
    if (all) chosen.insert(host.name);
  }
  for (const auto& part : parts) {
    const bool take_away = part[0] == '!';
    const std::string word = take_away ? part.substr(1) : part;
    bool found = false;
    for (const auto& host : project.hosts) {
      if (!matches(word, host)) continue;
      found = true;
      if (!take_away) chosen.insert(host.name);
      if (take_away) chosen.erase(host.name);
    }
    if (!found) return no_such_host(project, word);
  }
  std::vector<const Host*> out;
  for (const auto& host : project.hosts) {
    if (chosen.contains(host.name)) out.push_back(&host);
  }
  if (out.empty()) {
    return Error("project.no-host-left", fmt::format("the pattern '{}' leaves no host", pattern), {}, ExitCode::kUsage);
  }
  return out;
}

}  // namespace sentinel
