// SPDX-License-Identifier: Apache-2.0
// Whether the kernel filters as ufw's files say. `ufw status` says "active" also after its rules were flushed behind
// its back; this compares what is loaded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/resources/netfilter.h"
#include "core/resources/ufw_rule.h"

namespace sentinel {

/// ufw's rule files of one family: loaded in this order.
struct UfwFiles {
  UfwRuleFile before;
  UfwRuleFile after;
  UfwRuleFile user;
};

/// Policies as in /etc/default/ufw: ACCEPT, DROP, REJECT.
struct UfwPolicies {
  std::string input = "DROP";
  std::string output = "ACCEPT";
  std::string forward = "DROP";

  bool operator==(const UfwPolicies&) const = default;
};

/// One family's table filter, seen from ufw.
struct UfwLoaded {
  bool present = false;  ///< ufw's user chains are in the kernel
  /// none: no chain of ufw at all; right: every built-in chain leads to ufw's six, in order; wrong: anything between
  std::string hooks = "none";
  std::vector<std::string> jumps;           ///< "INPUT ufw-before-input": those there are, when hooks are wrong
  std::vector<std::string> early_accepts;   ///< rules of INPUT that accept before ufw's chains are asked
  std::vector<std::string> wrong_policies;  ///< "INPUT DROP": what should be
  bool framework_differs = false;           ///< chains of before.rules, after.rules or the policies miss something
  bool user_rules_differ = false;
  std::vector<std::string> differences;  ///< all of the above, for people
  std::vector<std::string> unsaid;  ///< "ufw-before-input -j ACCEPT": rules of before.rules' chains not in the files

  bool operator==(const UfwLoaded&) const = default;
};

void to_json(nlohmann::json& json, const UfwLoaded& value);
void from_json(const nlohmann::json& json, UfwLoaded& value);

/// "ufw" or "ufw6": what ufw's chains of that family begin with.
std::string ufw_prefix(Family family);
/// The chains that a built-in chain leads to, in order: "ufw-before-logging-input" and five more.
std::vector<std::string> ufw_hooks(Family family, const std::string& built_in_chain);
/// True for chains of ufw.
bool is_ufw_chain(const std::string& chain);

UfwLoaded compare_with_kernel(Family family, const UfwFiles& files, const UfwPolicies& policies,
                              const FilterTable& kernel);
/// With IPV6=no ufw loads no rules: everything but loopback is dropped.
UfwLoaded compare_closed_family(const FilterTable& kernel);

}  // namespace sentinel
