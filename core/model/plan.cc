// SPDX-License-Identifier: Apache-2.0
// Actions in words.
#include "core/model/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/quote.h"
#include "core/model/kinds.h"

namespace sentinel {
namespace {

std::string command_line(const std::vector<std::string>& argv) {
  std::vector<std::string> words;
  words.reserve(argv.size());
  for (const auto& word : argv) words.push_back(shell_quote(word));
  return fmt::format("{}", fmt::join(words, " "));
}

struct Describe {
  std::string operator()(const WriteFile& a) const { return "write " + a.path; }
  std::string operator()(const RemoveFile& a) const { return "remove " + a.path; }
  std::string operator()(const MakeDirectory& a) const { return "make directory " + a.path; }
  std::string operator()(const RemoveDirectory& a) const { return "remove directory " + a.path; }
  std::string operator()(const MakeLink& a) const { return fmt::format("link {} -> {}", a.path, a.target); }
  std::string operator()(const SetAttributes& a) const {
    return fmt::format("set {} to {}:{} {:04o}", a.path, a.owner, a.group, a.mode);
  }
  std::string operator()(const RunCommand& a) const { return "run " + command_line(a.argv); }
  std::string operator()(const InstallPackages& a) const { return fmt::format("install {}", fmt::join(a.names, " ")); }
  std::string operator()(const RemovePackages& a) const { return fmt::format("remove {}", fmt::join(a.names, " ")); }
  std::string operator()(const PurgePackagesAddedSince&) const { return "purge the packages that were added"; }
  std::string operator()(const SetKernelParameter& a) const { return fmt::format("set {} = {}", a.key, a.value); }
  std::string operator()(const RestoreFirewall&) const { return "restore the firewall"; }
};

}  // namespace

std::string kind_of(const Action& action) {
  return std::visit([](const auto& value) { return std::string(kind_name<std::decay_t<decltype(value)>>); }, action);
}

std::string describe(const Action& action) { return std::visit(Describe{}, action); }

std::string to_string(Risk risk) { return name_of(kRiskNames, risk); }

}  // namespace sentinel
