// SPDX-License-Identifier: Apache-2.0
// One rule of ufw: read from the "### tuple ###" comment it writes into user.rules (its own format, ufw 0.36,
// src/backend_iptables.py), compared, and written as the words of a `ufw` command.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/model/resource.h"
#include "core/resources/netfilter.h"

namespace sentinel {

/// Addresses are canonical, "any" for the whole family; ports "any", "22", "80,443" or "6000:6007".
struct UfwRule {
  std::string action = "allow";  ///< allow, deny, reject, limit
  std::string log;               ///< empty, "log", "log-all"
  std::string protocol = "any";
  std::string to = "any";
  std::string to_port = "any";
  std::string to_application;  ///< name of a profile in /etc/ufw/applications.d
  std::string from = "any";
  std::string from_port = "any";
  std::string from_application;
  std::string direction = "in";  ///< in, out
  bool routed = false;
  std::string interface_in;
  std::string interface_out;
  std::string comment;

  /// Same traffic: ufw holds one rule for it and replaces its action, log and comment in place.
  bool same_traffic(const UfwRule& other) const;
  /// Some packet could match both.
  bool overlaps(const UfwRule& other) const;
  bool operator==(const UfwRule&) const = default;
};

void to_json(nlohmann::json& json, const UfwRule& value);
void from_json(const nlohmann::json& json, UfwRule& value);

/// What follows "### tuple ###". Error `ufw.bad-tuple`.
Result<UfwRule> parse_ufw_tuple(std::string_view text);

/// What stands in user.rules or user6.rules.
struct UfwRuleFile {
  std::vector<UfwRule> rules;
  FilterTable table;  ///< the chains the file declares, with the rules it loads into them
};

Result<UfwRuleFile> parse_ufw_rules(std::string_view text);

enum class Families { kBoth, kV4, kV6 };

/// A declared rule. Error `firewall.bad-rule` saying what ufw would not take.
Result<UfwRule> to_ufw_rule(const FirewallRule& rule);
/// What a declared rule's `from` narrows it to: "0.0.0.0/0" and "::/0" mean one family, "any" both.
Families families_of(const FirewallRule& rule);
/// The other way; nothing for what a FirewallRule can't say (routes, interfaces, outgoing, applications, logging).
std::optional<FirewallRule> to_firewall_rule(const UfwRule& rule, Families families);
/// The families a rule is for by its addresses and protocol.
Families families_of(const UfwRule& rule);

/// Words after `ufw` (and after "route", "delete", "prepend"): "allow", "22/tcp", "comment", "x". For one family alone
/// the address "any" is written as that family's, which is how ufw is told.
std::vector<std::string> ufw_words(const UfwRule& rule, Families families, bool with_comment);
/// "allow 22/tcp", for people.
std::string shown(const UfwRule& rule);

}  // namespace sentinel
