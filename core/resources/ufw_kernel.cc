// SPDX-License-Identifier: Apache-2.0
// User chains are compared rule by rule: ufw writes them in a small vocabulary. before.rules and after.rules are edited
// by people in any way iptables knows: there a rule is missing when the kernel has too few, or when it is written in
// that vocabulary and the kernel has none like it.
#include "core/resources/ufw_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/resources/prefix.h"

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

bool is_number_list(const std::string& text) {
  return text.find_first_not_of("0123456789,:") == std::string::npos && !text.starts_with(':') && !text.ends_with(':');
}

/// Whether iptables-save prints a canonical rule in the same words as it was written in.
bool is_plain(const std::string& rule) {
  static constexpr std::array<std::string_view, 7> kPlain{"-p", "-i", "-o", "-j", "-s", "-d", "--ctstate"};
  const auto words = split_rule(rule);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    const std::string value = i + 1 < words.size() ? words[i + 1] : "";
    const bool port = word.ends_with("port") || word.ends_with("ports");
    if ((word == "-s" || word == "-d") && !Prefix::parse(value)) return false;
    if (port && !is_number_list(value)) return false;
    if (word.starts_with('-') && !port && std::find(kPlain.begin(), kPlain.end(), word) == kPlain.end()) return false;
  }
  return true;
}

using Rules = std::vector<std::string>;

/// Chains of before.rules and after.rules, the jumps to the user chains among them.
std::map<std::string, Rules> framework_of(Family family, const UfwFiles& files) {
  const std::string prefix = ufw_prefix(family);
  std::map<std::string, Rules> out;
  for (const auto* file : {&files.before, &files.after}) {
    for (const auto& [chain, content] : file->table.chains) {
      if (!is_ufw_chain(chain)) continue;
      const auto rules = canonical_rules(&content);
      out[chain].insert(out[chain].end(), rules.begin(), rules.end());
    }
  }
  for (const std::string chain : kBuiltIn) {
    const std::string suffix = suffix_of(chain);
    out[fmt::format("{}-before-{}", prefix, suffix)].push_back(fmt::format("-j {}-user-{}", prefix, suffix));
  }
  return out;
}

/// What a chain of the framework lacks, and what it has that no file says.
void compare_framework_chain(Family family, const std::string& chain, const Rules& wanted, const FilterChain* found,
                             UfwLoaded& out) {
  const auto have = canonical_rules(found);
  const auto extra = missing_from(have, wanted);
  for (const auto& rule : extra) {
    const auto raw = std::find_if(found->rules.begin(), found->rules.end(),
                                  [&](const std::string& each) { return canonical_rule(each) == rule; });
    out.unsaid.push_back(fmt::format("{} {}", chain, *raw));
  }
  auto lacking = missing_from(wanted, have);
  // Where every rule of the kernel has its own in the files, the others of the files are not loaded, in any words.
  if (!extra.empty()) std::erase_if(lacking, [](const std::string& rule) { return !is_plain(rule); });
  if (have.empty()) lacking.clear();  // nothing is loaded: that is one thing to say
  for (const auto& rule : lacking)
    out.differences.push_back(fmt::format("{}: {} lacks {}", to_string(family), chain, rule));
  const bool too_few = lacking.empty() && have.size() < wanted.size();
  if (too_few) {
    out.differences.push_back(
        fmt::format("{}: {} has {} of {} rules", to_string(family), chain, have.size(), wanted.size()));
  }
  out.framework_differs = out.framework_differs || too_few || !lacking.empty();
}

/// Chains of before.rules and after.rules, and those ufw derives from its policies.
void compare_framework(Family family, const UfwFiles& files, const UfwPolicies& policies, const FilterTable& kernel,
                       UfwLoaded& out) {
  for (const auto& [chain, wanted] : framework_of(family, files))
    compare_framework_chain(family, chain, wanted, kernel.find(chain), out);
  for (const std::string chain : kBuiltIn) {
    for (const char* part : {"skip-to-policy", "reject"}) {
      if (part == std::string("reject") && policy_of(policies, chain) != "REJECT") continue;
      const auto name = fmt::format("{}-{}-{}", ufw_prefix(family), part, suffix_of(chain));
      const auto* found = kernel.find(name);
      if (found != nullptr && !found->rules.empty()) continue;
      out.framework_differs = true;
      out.differences.push_back(fmt::format("{}: {} has 0 of 1 rules", to_string(family), name));
    }
  }
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

void to_json(nlohmann::json& json, const UfwLoaded& value) {
  json = {{"present", value.present},
          {"hooks", value.hooks},
          {"jumps", value.jumps},
          {"early_accepts", value.early_accepts},
          {"wrong_policies", value.wrong_policies},
          {"framework_differs", value.framework_differs},
          {"user_rules_differ", value.user_rules_differ},
          {"differences", value.differences},
          {"unsaid", value.unsaid}};
}

void from_json(const nlohmann::json& json, UfwLoaded& value) {
  json.at("present").get_to(value.present);
  json.at("hooks").get_to(value.hooks);
  json.at("jumps").get_to(value.jumps);
  json.at("early_accepts").get_to(value.early_accepts);
  json.at("wrong_policies").get_to(value.wrong_policies);
  json.at("framework_differs").get_to(value.framework_differs);
  json.at("user_rules_differ").get_to(value.user_rules_differ);
  json.at("differences").get_to(value.differences);
  value.unsaid = json.value("unsaid", std::vector<std::string>());  // recorded states of before have none
}

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
