// SPDX-License-Identifier: Apache-2.0
// User chains are compared rule by rule: ufw writes them in a small vocabulary. before.rules and after.rules are edited
// by people in any way iptables knows, so there only missing rules are told, by number.
#include "core/resources/ufw_kernel.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/model/json_fields.h"

namespace sentinel {
namespace {

constexpr std::array<const char*, 3> kBuiltIn{"INPUT", "FORWARD", "OUTPUT"};

std::string suffix_of(const std::string& built_in_chain) {
  if (built_in_chain == "INPUT") return "input";
  return built_in_chain == "OUTPUT" ? "output" : "forward";
}

const std::string& policy_of(const UfwPolicies& policies, const std::string& built_in_chain) {
  if (built_in_chain == "INPUT") return policies.input;
  return built_in_chain == "OUTPUT" ? policies.output : policies.forward;
}

std::vector<std::string> ufw_jumps_of(const FilterTable& kernel, const std::string& built_in_chain) {
  std::vector<std::string> out;
  for (const auto& target : kernel.plain_jumps(built_in_chain)) {
    if (is_ufw_chain(target)) out.push_back(target);
  }
  return out;
}

void compare_policies(const UfwPolicies& policies, const FilterTable& kernel, Family family, UfwLoaded& out) {
  for (const std::string chain : kBuiltIn) {
    const auto* found = kernel.find(chain);
    const std::string wanted = policy_of(policies, chain) == "ACCEPT" ? "ACCEPT" : "DROP";
    // Docker closes FORWARD for its own reasons; closed where open is allowed is no fault of the firewall.
    if (found == nullptr || found->policy == wanted || (chain == "FORWARD" && wanted == "ACCEPT")) continue;
    out.wrong_policies.push_back(fmt::format("{} {}", chain, wanted));
    out.differences.push_back(
        fmt::format("{}: {} lets through by policy {} instead of {}", to_string(family), chain, found->policy, wanted));
  }
}

void compare_hooks(Family family, const FilterTable& kernel, UfwLoaded& out) {
  bool right = true;
  for (const std::string chain : kBuiltIn) {
    const auto jumps = ufw_jumps_of(kernel, chain);
    if (jumps != ufw_hooks(family, chain)) {
      right = false;
      out.differences.push_back(fmt::format("{}: {} doesn't lead to ufw's rules", to_string(family), chain));
    }
    for (const auto& jump : jumps) out.jumps.push_back(fmt::format("{} {}", chain, jump));
  }
  const bool any_chain = std::any_of(kernel.chains.begin(), kernel.chains.end(),
                                     [](const auto& entry) { return is_ufw_chain(entry.first); });
  out.hooks = right ? "right" : any_chain ? "wrong" : "none";
  if (right) out.jumps.clear();
}

/// A rule of INPUT that accepts by itself, above the first jump to ufw, lets in what ufw denies and `ufw status`
/// doesn't show it. Jumps to chains of others (fail2ban, VPNs) and loopback are theirs to decide.
void find_early_accepts(Family family, const FilterTable& kernel, UfwLoaded& out) {
  const auto* input = kernel.find("INPUT");
  if (input == nullptr) return;
  for (const auto& rule : input->rules) {
    const auto words = split_rule(rule);
    const auto target = std::find(words.begin(), words.end(), "-j");
    if (target == words.end() || target + 1 == words.end()) continue;
    if (is_ufw_chain(*(target + 1))) return;
    const bool loopback = words.size() == 4 && words[0] == "-i" && words[1] == "lo";
    if (*(target + 1) != "ACCEPT" || loopback) continue;
    out.early_accepts.push_back(rule);
    out.differences.push_back(fmt::format("{}: INPUT accepts before ufw is asked: {}", to_string(family), rule));
  }
}

/// Chains of before.rules and after.rules, and those ufw derives from its policies.
void compare_framework(Family family, const UfwFiles& files, const UfwPolicies& policies, const FilterTable& kernel,
                       UfwLoaded& out) {
  const std::string prefix = ufw_prefix(family);
  std::map<std::string, std::size_t> expected;
  for (const auto* file : {&files.before, &files.after}) {
    for (const auto& [chain, content] : file->table.chains) {
      if (is_ufw_chain(chain)) expected[chain] += content.rules.size();
    }
  }
  for (const std::string chain : kBuiltIn) {
    const std::string suffix = suffix_of(chain);
    const std::string before = fmt::format("{}-before-{}", prefix, suffix);
    ++expected[before];
    expected[fmt::format("{}-skip-to-policy-{}", prefix, suffix)] = 1;
    if (policy_of(policies, chain) == "REJECT") expected[fmt::format("{}-reject-{}", prefix, suffix)] = 1;
    const auto jumps = kernel.plain_jumps(before);
    const std::string user = fmt::format("{}-user-{}", prefix, suffix);
    if (std::find(jumps.begin(), jumps.end(), user) == jumps.end()) {
      out.framework_differs = true;
      out.differences.push_back(fmt::format("{}: {} doesn't lead to {}", to_string(family), before, user));
    }
  }
  for (const auto& [chain, count] : expected) {
    const auto* found = kernel.find(chain);
    const std::size_t have = found == nullptr ? 0 : found->rules.size();
    if (have >= count) continue;
    out.framework_differs = true;
    out.differences.push_back(fmt::format("{}: {} has {} of {} rules", to_string(family), chain, have, count));
  }
}

std::vector<std::string> canonical_rules(const FilterChain* chain) {
  std::vector<std::string> out;
  if (chain == nullptr) return out;
  for (const auto& rule : chain->rules) out.push_back(canonical_rule(rule));
  return out;
}

/// Rules of `left` that `right` doesn't have, each as often.
std::vector<std::string> missing_from(const std::vector<std::string>& left, std::vector<std::string> right) {
  std::vector<std::string> out;
  for (const auto& rule : left) {
    const auto found = std::find(right.begin(), right.end(), rule);
    if (found == right.end()) {
      out.push_back(rule);
    } else {
      right.erase(found);
    }
  }
  return out;
}

void compare_user_rules(Family family, const UfwRuleFile& user, const FilterTable& kernel, UfwLoaded& out) {
  for (const auto& [chain, content] : user.table.chains) {
    if (!is_ufw_chain(chain)) continue;
    const auto wanted = canonical_rules(&content);
    const auto* found = kernel.find(chain);
    const auto loaded = canonical_rules(found);
    if (found != nullptr && wanted == loaded) continue;
    out.user_rules_differ = true;
    if (found == nullptr) {
      out.differences.push_back(fmt::format("{}: {} is not loaded", to_string(family), chain));
      continue;
    }
    const auto lacking = missing_from(wanted, loaded);
    const auto extra = missing_from(loaded, wanted);
    for (const auto& rule : lacking)
      out.differences.push_back(fmt::format("{}: {} lacks {}", to_string(family), chain, rule));
    for (const auto& rule : extra)
      out.differences.push_back(fmt::format("{}: {} has an extra {}", to_string(family), chain, rule));
    if (lacking.empty() && extra.empty()) {
      out.differences.push_back(fmt::format("{}: {} has its rules in another order", to_string(family), chain));
    }
  }
}

}  // namespace

SENTINEL_JSON_FIELDS(UfwLoaded, present, hooks, jumps, early_accepts, wrong_policies, framework_differs,
                     user_rules_differ, differences)

std::string ufw_prefix(Family family) {
  return family == Family::kV4 ? "ufw" : "ufw6";
}

std::vector<std::string> ufw_hooks(Family family, const std::string& built_in_chain) {
  std::vector<std::string> out;
  for (const char* part : {"before-logging", "before", "after", "after-logging", "reject", "track"}) {
    out.push_back(fmt::format("{}-{}-{}", ufw_prefix(family), part, suffix_of(built_in_chain)));
  }
  return out;
}

bool is_ufw_chain(const std::string& chain) {
  return chain.rfind("ufw-", 0) == 0 || chain.rfind("ufw6-", 0) == 0;
}

UfwLoaded compare_with_kernel(Family family, const UfwFiles& files, const UfwPolicies& policies,
                              const FilterTable& kernel) {
  UfwLoaded out;
  out.present = kernel.find(ufw_prefix(family) + "-user-input") != nullptr;
  compare_hooks(family, kernel, out);
  find_early_accepts(family, kernel, out);
  compare_policies(policies, kernel, family, out);
  compare_framework(family, files, policies, kernel, out);
  compare_user_rules(family, files.user, kernel, out);
  return out;
}

UfwLoaded compare_closed_family(const FilterTable& kernel) {
  UfwLoaded out;
  const auto* input = kernel.find("INPUT");
  if (input == nullptr || input->policy == "DROP") return out;
  out.wrong_policies.push_back("INPUT DROP");
  out.differences.push_back(fmt::format("IPv6: INPUT lets through by policy {} although IPv6 is off", input->policy));
  return out;
}

}  // namespace sentinel
