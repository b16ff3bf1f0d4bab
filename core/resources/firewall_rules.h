// SPDX-License-Identifier: Apache-2.0
// Which rules to add, move and delete, so that ufw's lists become the declared one. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/model/plan.h"
#include "core/resources/ufw_rule.h"

namespace sentinel {

/// A rule that should be there, in these families.
struct WantedRule {
  UfwRule rule;
  bool v4 = true;
  bool v6 = true;
};

/// ufw's lists as they are.
struct UfwLists {
  std::vector<UfwRule> v4;
  std::vector<UfwRule> v6;
};

/// The declared rules, and for each port of `keep_open` that none of them opens: what opens it now, or a rule of its
/// own, marked by kKeptComment. Errors `firewall.bad-rule`, `firewall.contradiction` (two rules for the same traffic).
Result<std::vector<WantedRule>> wanted_rules(const Firewall& want, const UfwLists& now,
                                             const std::vector<std::string>& keep_open);

inline constexpr const char* kKeptComment = "kept open: SSH is in use here";

struct RuleDifference {
  std::vector<Change> changes;
  std::vector<Action> additions;  ///< new rules, changed ones, and those that must come before others
  std::vector<Action> deletions;
};

/// Order matters only between rules that decide differently about the same packets: only then are rules moved.
RuleDifference compare_rules(const std::vector<WantedRule>& wanted, const UfwLists& now);

}  // namespace sentinel
