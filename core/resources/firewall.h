// SPDX-License-Identifier: Apache-2.0
// Kind `firewall`: UFW as a whole, as a declarative difference. Observing reads ufw's files and the kernel (no python,
// no `ufw status`, which says "active" even when nothing is filtered); acting is `ufw`, one command per rule that
// differs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/model/plan.h"
#include "core/resources/look.h"
#include "core/resources/ufw_kernel.h"
#include "core/resources/ufw_rule.h"

namespace sentinel {

inline constexpr const char* kUfwUnit = "ufw.service";

/// Words as in the resource (allow, deny, reject). A host without ufw is shown as the package leaves it, switched off.
struct FirewallState {
  bool installed = false;
  bool enabled = false;
  bool at_boot = true;  ///< ufw.service is enabled
  std::string incoming = "deny";
  std::string outgoing = "allow";
  std::string routed = "deny";
  std::string logging = "low";
  bool ipv6 = true;
  std::vector<UfwRule> rules;   ///< user.rules, in order
  std::vector<UfwRule> rules6;  ///< user6.rules
  UfwLoaded v4;
  UfwLoaded v6;

  bool operator==(const FirewallState&) const = default;
};

void to_json(nlohmann::json& json, const FirewallState& value);
void from_json(const nlohmann::json& json, FirewallState& value);

Result<FirewallState> observe(const Firewall& want, Look& look);
/// Keeps the ports of Surroundings::keep_open open whatever is declared, and says so in the rule's comment.
Result<Step> plan(const Firewall& want, const FirewallState& now, Look& look);
/// Rules that a Firewall can't say (routes, interfaces, application profiles) are left out.
std::optional<ResourceBody> restored(const Firewall& managed, const FirewallState& then);

}  // namespace sentinel
