// SPDX-License-Identifier: Apache-2.0
// Order of acting: new rules, old rules, policies, logging, and only then switching on or repairing what the kernel
// has. `ufw default` and `ufw reload` take 1.5 s and hold new connections for one, so they run only on a difference.
#include "core/resources/firewall.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/model/json_fields.h"
#include "core/resources/firewall_rules.h"
#include "core/resources/units.h"

namespace sentinel {
namespace {

constexpr const char* kConfigPath = "/etc/ufw/ufw.conf";
constexpr const char* kDefaultsPath = "/etc/default/ufw";
constexpr const char* kInit = "/lib/ufw/ufw-init";
constexpr std::uint32_t kTimeout = 120;

Result<std::string> read_or_empty(const std::string& path, Reader& machine) {
  auto text = machine.read_file(path);
  if (!text.ok() && text.error().code == "system.ENOENT") return std::string();
  return text;
}

/// Last assignment of a shell variable, without quotes; empty when there is none.
std::string shell_value(const std::string& text, const std::string& key) {
  std::string value;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.rfind(key + "=", 0) != 0) continue;
    value = line.substr(key.size() + 1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\r')) value.pop_back();
    if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0])
      value = value.substr(1, value.size() - 2);
  }
  return value;
}

std::string with_value(const std::string& text, const std::string& key, const std::string& value) {
  std::string out;
  bool found = false;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const bool ours = text.compare(begin, key.size() + 1, key + "=") == 0;
    out += ours ? fmt::format("{}={}", key, value) : text.substr(begin, end - begin);
    out += '\n';
    found = found || ours;
    begin = end + 1;
  }
  if (!found) out += fmt::format("{}={}\n", key, value);
  return out;
}

bool is_yes(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text == "yes";
}

std::string word_of(const std::string& policy, const char* fallback) {
  if (policy == "ACCEPT") return "allow";
  if (policy == "DROP") return "deny";
  return policy == "REJECT" ? "reject" : fallback;
}

std::string policy_of(const std::string& word) {
  return word == "allow" ? "ACCEPT" : word == "reject" ? "REJECT" : "DROP";
}

Result<UfwRuleFile> rule_file(const char* name, Family family, Reader& machine) {
  const std::string path = fmt::format("/etc/ufw/{}{}.rules", name, family == Family::kV6 ? "6" : "");
  SENTINEL_TRY(const auto text, read_or_empty(path, machine));
  auto file = parse_ufw_rules(text);
  if (!file.ok()) return std::move(file).error().during("reading " + path);
  return file;
}

Result<UfwFiles> rule_files(Family family, Reader& machine) {
  UfwFiles files;
  SENTINEL_TRY(files.before, rule_file("before", family, machine));
  SENTINEL_TRY(files.after, rule_file("after", family, machine));
  SENTINEL_TRY(files.user, rule_file("user", family, machine));
  return files;
}

/// A firewall that is off may leave anything in the kernel; only what is in the way of switching it on counts.
void forget_differences(UfwLoaded& loaded) {
  loaded.wrong_policies.clear();
  loaded.framework_differs = false;
  loaded.user_rules_differ = false;
  loaded.differences.clear();
}

Result<void> observe_kernel(FirewallState& state, const UfwFiles& files, const UfwFiles& files6, Look& look) {
  SENTINEL_TRY(const auto* tables, filter_tables(look));
  const UfwPolicies policies{policy_of(state.incoming), policy_of(state.outgoing), policy_of(state.routed)};
  if (tables->v4) state.v4 = compare_with_kernel(Family::kV4, files, policies, *tables->v4);
  if (tables->v6) {
    state.v6 = state.ipv6 ? compare_with_kernel(Family::kV6, files6, policies, *tables->v6)
                          : compare_closed_family(*tables->v6);
  }
  if (!state.enabled) {
    forget_differences(state.v4);
    forget_differences(state.v6);
  }
  return {};
}

Result<void> check(const Firewall& want) {
  for (const auto& word : {want.incoming, want.outgoing, want.routed}) {
    if (word != "allow" && word != "deny" && word != "reject") {
      return Error("firewall.bad-policy", fmt::format("'{}' is no policy of a firewall", word),
                   "allow, deny or reject");
    }
  }
  const auto& level = want.logging;
  if (level != "off" && level != "low" && level != "medium" && level != "high" && level != "full") {
    return Error("firewall.bad-logging", fmt::format("'{}' is no logging level", level),
                 "off, low, medium, high or full");
  }
  return {};
}

void run(Step& step, std::vector<std::string> argv, bool may_fail = false) {
  step.actions.push_back(RunCommand{std::move(argv), kTimeout, may_fail});
}

/// IPV6= is no setting of the `ufw` command, so its file is written.
Result<void> plan_ipv6(const Firewall& want, const FirewallState& now, Look& look, Step& step) {
  if (want.ipv6 == now.ipv6) return {};
  step.changes.push_back({"IPv6", now.ipv6 ? "on" : "off", want.ipv6 ? "on" : "off", false});
  const auto* text = look.remembered_text(kDefaultsPath);
  SENTINEL_TRY(const auto content,
               look.keep(with_value(text == nullptr ? "" : *text, "IPV6", want.ipv6 ? "yes" : "no")));
  step.actions.push_back(WriteFile{kDefaultsPath, content, "root", "root", 0644});
  return {};
}

/// True when a policy changed, which makes ufw load everything again.
bool plan_settings(const Firewall& want, const FirewallState& now, Step& step) {
  bool reloaded = false;
  const auto policy = [&](const char* direction, const std::string& before, const std::string& after) {
    if (before == after) return;
    step.changes.push_back({direction, before, after, false});
    run(step, {"ufw", "default", after, direction});
    reloaded = now.enabled;
  };
  policy("incoming", now.incoming, want.incoming);
  policy("outgoing", now.outgoing, want.outgoing);
  policy("routed", now.routed, want.routed);
  if (want.logging != now.logging) {
    step.changes.push_back({"logging", now.logging, want.logging, false});
    run(step, {"ufw", "logging", want.logging});
  }
  return reloaded;
}

std::vector<std::string> iptables(Family family, std::vector<std::string> words) {
  std::vector<std::string> argv{family == Family::kV4 ? "iptables" : "ip6tables", "-w", "10"};
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

/// `ufw enable` hooks its chains into the built-in ones only where its first chain isn't there yet. So everything of
/// ufw's is emptied, what is left of the hooks goes, and then that chain. Chains of others, Docker's and fail2ban's,
/// stay
/// (`ufw-init flush-all` would take them along).
void plan_unhooking(const FirewallState& now, Step& step) {
  run(step, now.enabled ? std::vector<std::string>{"ufw", "disable"} : std::vector<std::string>{kInit, "force-stop"});
  for (const auto& [family, loaded] : {std::pair(Family::kV4, &now.v4), std::pair(Family::kV6, &now.v6)}) {
    if (loaded->hooks != "wrong") continue;
    for (const auto& jump : loaded->jumps) {
      const auto space = jump.find(' ');
      run(step, iptables(family, {"-D", jump.substr(0, space), "-j", jump.substr(space + 1)}), true);
    }
    run(step, iptables(family, {"-X", ufw_prefix(family) + "-before-logging-input"}), true);
  }
}

/// Loads what the kernel lacks without letting anything through meanwhile. Also after rules were changed: ufw adds a
/// rule to its chain, but not the chains that the rule leads to when its file had none so far (the first `limit`).
void plan_small_repairs(Family family, const UfwLoaded& loaded, bool rules_changed, Step& step) {
  if (loaded.user_rules_differ || rules_changed) {
    run(step, {family == Family::kV4 ? "iptables-restore" : "ip6tables-restore", "--wait=10", "--noflush",
               family == Family::kV4 ? "/etc/ufw/user.rules" : "/etc/ufw/user6.rules"});
  }
  for (const auto& policy : loaded.wrong_policies) {
    const auto space = policy.find(' ');
    run(step, iptables(family, {"-P", policy.substr(0, space), policy.substr(space + 1)}));
  }
}

void plan_early_accepts(Family family, const UfwLoaded& loaded, Step& step) {
  for (const auto& rule : loaded.early_accepts) {
    std::vector<std::string> words{"-D", "INPUT"};
    const auto rest = split_rule(rule);
    words.insert(words.end(), rest.begin(), rest.end());
    run(step, iptables(family, std::move(words)), true);
  }
}

std::string shown_differences(const FirewallState& now) {
  std::vector<std::string> all = now.v4.differences;
  all.insert(all.end(), now.v6.differences.begin(), now.v6.differences.end());
  std::string out;
  for (std::size_t i = 0; i < all.size() && i < 10; ++i) out += (i == 0 ? "" : "\n") + all[i];
  if (all.size() > 10) out += fmt::format("\nand {} more", all.size() - 10);
  return out;
}

/// What the kernel has can't be built upon: it is taken down, rules and settings change in files only, and `ufw enable`
/// loads all of it at once. A firewall that is broken like that lets everything through already.
bool must_be_rebuilt(const Firewall& want, const FirewallState& now) {
  const auto broken = [&](const UfwLoaded& loaded) {
    return loaded.framework_differs || (loaded.hooks != "right" && !loaded.differences.empty());
  };
  const auto in_the_way = [](const UfwLoaded& loaded) { return loaded.present || loaded.hooks == "wrong"; };
  if (!now.enabled) return in_the_way(now.v4) || in_the_way(now.v6);
  return broken(now.v4) || (now.ipv6 && want.ipv6 && broken(now.v6));
}

struct Acted {
  bool rebuilt = false;   ///< taken down: `ufw enable` loads everything
  bool reloaded = false;  ///< by a changed policy
  bool rules_changed = false;
};

void plan_running(const Firewall& want, const FirewallState& now, const Acted& acted, Step& step) {
  if (!now.at_boot) {
    step.changes.push_back({"at boot", "disabled", "enabled", false});
    run(step, {"systemctl", "enable", kUfwUnit});
  }
  const bool differs = !now.v4.differences.empty() || !now.v6.differences.empty();
  if (differs) step.changes.push_back({"packet filter", shown_differences(now), "as the rules say", false});
  if (!now.enabled) step.changes.push_back({"enabled", "no", "yes", false});
  if (acted.rebuilt || !now.enabled) {
    run(step, {"ufw", "--force", "enable"});
  } else {
    if (now.ipv6 && !want.ipv6 && !acted.reloaded) run(step, {"ufw", "reload"});
    plan_small_repairs(Family::kV4, now.v4, acted.rules_changed, step);
    const bool switched_on = want.ipv6 && !now.ipv6;
    const bool switched_off = now.ipv6 && !want.ipv6;
    if (!switched_off) {
      plan_small_repairs(Family::kV6, switched_on ? UfwLoaded{} : now.v6, want.ipv6 && acted.rules_changed, step);
    }
  }
  plan_early_accepts(Family::kV4, now.v4, step);
  if (now.ipv6 && want.ipv6) plan_early_accepts(Family::kV6, now.v6, step);
}

}  // namespace

SENTINEL_JSON_FIELDS(FirewallState, installed, enabled, at_boot, incoming, outgoing, routed, logging, ipv6, rules,
                     rules6, v4, v6)

Result<FirewallState> observe(const Firewall& want, Look& look) {
  SENTINEL_CHECK(check(want));
  FirewallState out;
  SENTINEL_TRY(const auto program, look.machine().status("/usr/sbin/ufw"));
  out.installed = program.type != FileType::kAbsent;
  if (!out.installed) return out;
  SENTINEL_TRY(const auto config, read_or_empty(kConfigPath, look.machine()));
  SENTINEL_TRY(const auto defaults, read_or_empty(kDefaultsPath, look.machine()));
  look.remember_text(kDefaultsPath, defaults);
  out.enabled = is_yes(shell_value(config, "ENABLED"));
  const std::string level = shell_value(config, "LOGLEVEL");
  out.logging = level.empty() ? "low" : level;
  out.ipv6 = is_yes(shell_value(defaults, "IPV6"));
  out.incoming = word_of(shell_value(defaults, "DEFAULT_INPUT_POLICY"), "deny");
  out.outgoing = word_of(shell_value(defaults, "DEFAULT_OUTPUT_POLICY"), "allow");
  out.routed = word_of(shell_value(defaults, "DEFAULT_FORWARD_POLICY"), "deny");
  SENTINEL_TRY(const auto files, rule_files(Family::kV4, look.machine()));
  SENTINEL_TRY(const auto files6, rule_files(Family::kV6, look.machine()));
  out.rules = files.user.rules;
  out.rules6 = files6.user.rules;
  SENTINEL_TRY(const auto unit, unit_status(look, kUfwUnit));
  out.at_boot = unit.file_state == "enabled";
  SENTINEL_CHECK(observe_kernel(out, files, files6, look));
  return out;
}

Result<Step> plan(const Firewall& want, const FirewallState& now, Look& look) {
  SENTINEL_CHECK(check(want));
  Step step;
  if (!now.installed && !want.enabled) return step;
  SENTINEL_CHECK(plan_ipv6(want, now, look, step));
  const bool rebuild = want.enabled && must_be_rebuilt(want, now);
  if (rebuild) {
    plan_unhooking(now, step);
  } else if (want.enabled && now.enabled && want.ipv6 && !now.ipv6) {
    run(step, {"ufw", "reload"});  // rules for IPv6 can only be added when its chains are there
  }
  const UfwLists lists{now.rules, want.ipv6 ? now.rules6 : std::vector<UfwRule>{}};
  const auto& ports = look.surroundings().keep_open;
  SENTINEL_TRY(const auto wanted, wanted_rules(want, lists, want.enabled ? ports : std::vector<std::string>{}));
  const auto rules = compare_rules(wanted, lists);
  step.changes.insert(step.changes.end(), rules.changes.begin(), rules.changes.end());
  step.actions.insert(step.actions.end(), rules.additions.begin(), rules.additions.end());
  step.actions.insert(step.actions.end(), rules.deletions.begin(), rules.deletions.end());
  const bool reloaded = plan_settings(want, now, step);
  if (want.enabled) {
    plan_running(want, now, {rebuild, reloaded, !rules.changes.empty()}, step);
  } else if (now.enabled) {
    step.changes.push_back({"enabled", "yes", "no", false});
    run(step, {"ufw", "disable"});
  }
  if (step.changes.empty()) return step;
  std::vector<Action> undo{RestoreFirewall{}};
  if (want.enabled && !now.at_boot) undo.push_back(RunCommand{{"systemctl", "disable", kUfwUnit}, kTimeout, false});
  step.undo = std::move(undo);
  step.risk = Risk::kLockout;
  return step;
}

std::optional<ResourceBody> restored(const Firewall& managed, const FirewallState& then) {
  Firewall back;
  back.enabled = then.enabled;
  back.incoming = then.incoming;
  back.outgoing = then.outgoing;
  back.routed = then.routed;
  back.logging = then.logging;
  back.ipv6 = then.ipv6;
  const auto in = [](const std::vector<UfwRule>& list, const UfwRule& rule) {
    return std::find(list.begin(), list.end(), rule) != list.end();
  };
  for (const auto& rule : then.rules) {
    const auto which = then.ipv6 && !in(then.rules6, rule) ? Families::kV4 : Families::kBoth;
    if (auto said = to_firewall_rule(rule, which)) back.rules.push_back(std::move(*said));
  }
  for (const auto& rule : then.rules6) {
    if (!then.ipv6 || in(then.rules, rule)) continue;
    if (auto said = to_firewall_rule(rule, Families::kV6)) back.rules.push_back(std::move(*said));
  }
  if (!then.installed) back.rules = managed.rules;
  return back;
}

}  // namespace sentinel
