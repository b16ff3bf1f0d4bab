// SPDX-License-Identifier: Apache-2.0
// Only the words that plans use, and those that break a firewall behind ufw's back. As with the real one, enabling
// hooks the chains into the built-in ones only where its first chain isn't there yet, and does nothing where user
// chains are loaded.
#include "tests/support/fake_ufw.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdlib.h>

#include <algorithm>
#include <sstream>

#include "core/resources/ufw_kernel.h"
#include "core/resources/ufw_rule.h"

namespace sentinel {
namespace {

using Words = std::vector<std::string>;
constexpr const char* kDefaults = "/etc/default/ufw";
constexpr const char* kConfig = "/etc/ufw/ufw.conf";
constexpr Family kFamilies[] = {Family::kV4, Family::kV6};
const char* const kBuiltIn[] = {"INPUT", "FORWARD", "OUTPUT"};

std::string kernel_path(Family family) {
  return family == Family::kV4 ? "/run/fake-iptables" : "/run/fake-ip6tables";
}

std::string rules_path(const char* name, Family family) {
  return fmt::format("/etc/ufw/{}{}.rules", name, family == Family::kV4 ? "" : "6");
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

void store(FakeSystem& machine, Family family, const FilterTable& table) {
  std::string text = "*filter\n";
  for (const auto& [name, chain] : table.chains) text += fmt::format(":{} {} [0:0]\n", name, chain.policy);
  for (const auto& [name, chain] : table.chains) {
    for (const auto& rule : chain.rules) text += fmt::format("-A {} {}\n", name, rule);
  }
  machine.put_file(kernel_path(family), text + "COMMIT\n");
}

std::string value_of(FakeSystem& machine, const char* path, const std::string& key) {
  std::istringstream lines(machine.bytes(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key + "=")) return line.substr(key.size() + 1);
  }
  return "";
}

void set_value(FakeSystem& machine, const char* path, const std::string& key, const std::string& value) {
  std::istringstream lines(machine.bytes(path));
  std::string out;
  for (std::string line; std::getline(lines, line);)
    out += (line.starts_with(key + "=") ? key + "=" + value : line) + "\n";
  machine.put_file(path, out);
}

bool enabled(FakeSystem& machine) {
  return value_of(machine, kConfig, "ENABLED") == "yes";
}

bool uses(FakeSystem& machine, Family family) {
  return family == Family::kV4 || value_of(machine, kDefaults, "IPV6") == "yes";
}

CommandResult ipt(FakeSystem& machine, Family family, const Words& words) {
  auto table = fake_table(machine, family);
  const std::string chain = words.size() > 1 ? words[1] : "";
  const std::string rest = words.size() > 2 ? fmt::format("{}", fmt::join(words.begin() + 2, words.end(), " ")) : "";
  if (words[0] == "-F" && chain.empty()) {
    for (auto& entry : table.chains) entry.second.rules.clear();
  } else if (table.chains.count(chain) == 0 && words[0] != "-N") {
    return {1, "", "No chain/target/match by that name.\n"};
  } else if (words[0] == "-P") {
    table.chains[chain].policy = rest;
  } else if (words[0] == "-F") {
    table.chains[chain].rules.clear();
  } else if (words[0] == "-N") {
    table.chains[chain].policy = "-";
  } else if (words[0] == "-X") {
    for (const auto& [name, other] : table.chains) {
      for (const auto& rule : other.rules) {
        if (rule.find("-j " + chain) != std::string::npos) return {1, "", "Too many links.\n"};
      }
    }
    table.chains.erase(chain);
  } else {
    auto& rules = table.chains[chain].rules;
    if (words[0] == "-A") rules.push_back(rest);
    if (words[0] == "-I" && std::isdigit(static_cast<unsigned char>(words[2][0])) != 0) {
      rules.insert(rules.begin() + std::stol(words[2]) - 1,
                   fmt::format("{}", fmt::join(words.begin() + 3, words.end(), " ")));
    } else if (words[0] == "-I") {
      rules.insert(rules.begin(), rest);
    }
    if (words[0] == "-D") {
      const auto found = std::find_if(rules.begin(), rules.end(), [&](const std::string& rule) {
        return canonical_rule(rule) == canonical_rule(rest);
      });
      if (found == rules.end()) return {1, "", "Bad rule (does a matching rule exist in that chain?).\n"};
      rules.erase(found);
    }
  }
  store(machine, family, table);
  return {};
}

CommandResult restore(FakeSystem& machine, Family family, const std::string& script) {
  const auto before = fake_table(machine, family);
  std::istringstream lines(script);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#' || line[0] == '*' || line == "COMMIT") continue;
    if (line[0] == ':') {
      auto table = fake_table(machine, family);
      const auto name = line.substr(1, line.find(' ') - 1);
      auto& chain = table.chains[name];
      const auto policy = line.substr(name.size() + 2, line.rfind(' ') - name.size() - 2);
      if (policy == "-") chain.rules.clear();
      chain.policy = policy;
      store(machine, family, table);
      continue;
    }
    std::istringstream parts(line);
    Words words;
    for (std::string word; parts >> word;) words.push_back(word);
    if (const auto result = ipt(machine, family, words); result.status != 0) {
      store(machine, family, before);
      return {2, "", "iptables-restore: line failed: " + line + "\n"};
    }
  }
  return {};
}

std::string rule_text(const UfwRule& rule, const std::string& prefix) {
  static const std::map<std::string, std::string> kTargets{{"allow", "ACCEPT"}, {"deny", "DROP"}, {"reject", "REJECT"}};
  std::string match;
  if (rule.protocol != "any") match += " -p " + rule.protocol;
  if (rule.to_port != "any") match += " --dport " + rule.to_port;
  if (rule.from != "any") match += " -s " + rule.from;
  const auto target = kTargets.find(rule.action);
  return fmt::format("-A {}-user-input{} -j {}\n", prefix, match,
                     target == kTargets.end() ? prefix + "-user-limit" : target->second);
}

void write_rules(FakeSystem& machine, Family family, const std::vector<UfwRule>& rules) {
  const std::string prefix = ufw_prefix(family);
  const std::string any = family == Family::kV4 ? "0.0.0.0/0" : "::/0";
  std::string text = "*filter\n";
  for (const char* part : {"input", "output", "forward", "limit"})
    text += fmt::format(":{}-user-{} - [0:0]\n", prefix, part);
  text += "### RULES ###\n";
  for (const auto& rule : rules) {
    std::string comment;
    for (const unsigned char c : rule.comment) comment += fmt::format("{:02x}", c);
    text += fmt::format("\n### tuple ### {} {} {} {} any {} in{}\n", rule.action, rule.protocol, rule.to_port, any,
                        rule.from == "any" ? any : rule.from, comment.empty() ? "" : " comment=" + comment);
    text += rule_text(rule, prefix);
  }
  machine.put_file(rules_path("user", family),
                   text + fmt::format("\n### END RULES ###\n-A {}-user-limit -j REJECT\nCOMMIT\n", prefix));
}

void stop(FakeSystem& machine) {
  for (const auto family : kFamilies) {
    auto table = fake_table(machine, family);
    for (const char* chain : kBuiltIn) table.chains[chain].policy = "ACCEPT";
    for (auto& [name, chain] : table.chains) {
      if (is_ufw_chain(name)) chain.rules.clear();
    }
    std::erase_if(table.chains, [](const auto& entry) {
      return entry.first.find("-user-") != std::string::npos || entry.first.find("-skip-") != std::string::npos;
    });
    store(machine, family, table);
  }
}

void start_family(FakeSystem& machine, Family family) {
  auto table = fake_table(machine, family);
  const std::string prefix = ufw_prefix(family);
  const bool hook = table.find(prefix + "-before-logging-input") == nullptr;
  const std::pair<const char*, const char*> policies[] = {
      {"INPUT", "DEFAULT_INPUT_POLICY"}, {"FORWARD", "DEFAULT_FORWARD_POLICY"}, {"OUTPUT", "DEFAULT_OUTPUT_POLICY"}};
  for (const auto& [chain, key] : policies) {
    const std::string policy = value_of(machine, kDefaults, key);
    for (const auto& name : ufw_hooks(family, chain)) {
      table.chains[name] = {"-", {}};
      if (hook) table.chains[chain].rules.push_back("-j " + name);
    }
    const std::string suffix = lower(chain);
    table.chains[fmt::format("{}-skip-to-policy-{}", prefix, suffix)] = {"-", {"-j DROP"}};
    if (policy == "\"REJECT\"") table.chains[fmt::format("{}-reject-{}", prefix, suffix)].rules = {"-j REJECT"};
    table.chains[chain].policy = policy == "\"ACCEPT\"" ? "ACCEPT" : "DROP";
  }
  store(machine, family, table);
  for (const char* name : {"before", "after", "user"})
    restore(machine, family, machine.bytes(rules_path(name, family)));
  for (const char* suffix : {"input", "forward", "output"}) {
    ipt(machine, family,
        {"-A", fmt::format("{}-before-{}", prefix, suffix), "-j", fmt::format("{}-user-{}", prefix, suffix)});
  }
}

void start(FakeSystem& machine) {
  if (fake_table(machine, Family::kV4).find("ufw-user-input") != nullptr) return;
  for (const auto family : kFamilies) {
    if (uses(machine, family)) {
      start_family(machine, family);
    } else {
      restore(machine, family, "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n");
    }
  }
}

void reload_if_enabled(FakeSystem& machine) {
  if (!enabled(machine)) return;
  stop(machine);
  start(machine);
}

struct Asked {
  UfwRule rule;
  bool v4 = true;
  bool v6 = true;
};

Asked parse_rule(const Words& words) {
  Asked out;
  out.rule.action = words.at(0);
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "comment") {
      out.rule.comment = words.at(++i);
    } else if (words[i] == "from") {
      out.rule.from = words.at(++i);
      out.v6 = out.rule.from == "any" || out.rule.from.find(':') != std::string::npos;
      out.v4 = out.rule.from == "any" || !out.v6;
      if (out.rule.from == "::/0" || out.rule.from == "0.0.0.0/0") out.rule.from = "any";
    } else if (words[i] == "to") {
      ++i;
    } else if (words[i] == "port") {
      out.rule.to_port = words.at(++i);
    } else if (words[i] == "proto") {
      out.rule.protocol = words.at(++i);
    } else {
      const auto slash = words[i].find('/');
      out.rule.to_port = words[i].substr(0, slash);
      if (slash != std::string::npos) out.rule.protocol = words[i].substr(slash + 1);
    }
  }
  return out;
}

void change_rules(FakeSystem& machine, Words words) {
  const bool removes = words[0] == "delete";
  const bool in_front = words[0] == "prepend";
  if (removes || in_front) words.erase(words.begin());
  const auto asked = parse_rule(words);
  for (const auto family : kFamilies) {
    if (!uses(machine, family) || (family == Family::kV4 ? !asked.v4 : !asked.v6)) continue;
    auto rules = parse_ufw_rules(machine.bytes(rules_path("user", family)))->rules;
    const auto known =
        std::find_if(rules.begin(), rules.end(), [&](const UfwRule& other) { return other.same_traffic(asked.rule); });
    if (removes) {
      if (known != rules.end() && known->action == asked.rule.action) rules.erase(known);
    } else if (known == rules.end()) {
      rules.insert(in_front ? rules.begin() : rules.end(), asked.rule);
    } else if (!in_front) {
      *known = asked.rule;
    }
    write_rules(machine, family, rules);
    if (enabled(machine)) restore(machine, family, machine.bytes(rules_path("user", family)));
  }
}

CommandResult ufw(FakeSystem& machine, const CommandLine& command) {
  Words words(command.argv.begin() + 1, command.argv.end());
  if (words[0] == "--force") words.erase(words.begin());
  if (words[0] == "enable") {
    set_value(machine, kConfig, "ENABLED", "yes");
    start(machine);
  } else if (words[0] == "disable") {
    set_value(machine, kConfig, "ENABLED", "no");
    stop(machine);
  } else if (words[0] == "reload") {
    reload_if_enabled(machine);
  } else if (words[0] == "logging") {
    set_value(machine, kConfig, "LOGLEVEL", words[1]);
  } else if (words[0] == "default") {
    static const std::map<std::string, std::string> kPolicies{
        {"allow", "\"ACCEPT\""}, {"deny", "\"DROP\""}, {"reject", "\"REJECT\""}};
    static const std::map<std::string, std::string> kKeys{{"incoming", "DEFAULT_INPUT_POLICY"},
                                                          {"outgoing", "DEFAULT_OUTPUT_POLICY"},
                                                          {"routed", "DEFAULT_FORWARD_POLICY"}};
    set_value(machine, kDefaults, kKeys.at(words[2]), kPolicies.at(words[1]));
    reload_if_enabled(machine);
  } else {
    change_rules(machine, std::move(words));
  }
  return {};
}

}  // namespace

FilterTable fake_table(FakeSystem& machine, Family family) {
  return *parse_filter_table(machine.bytes(kernel_path(family)));
}

void on_host(FakeSystem& machine, const std::string& line) {
  CommandLine command;
  std::istringstream words(line);
  for (std::string word; words >> word;) command.argv.push_back(word);
  const auto result = machine.run(command);
  if (!result.ok() || result->status != 0) ::abort();
}

void put_ufw(FakeSystem& machine) {
  machine.put_file("/usr/sbin/ufw", "program", {0, 0, 0755});
  machine.put_file(kDefaults,
                   "# "
                   "settings\nIPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\nDEFAULT_OUTPUT_POLICY=\"ACCEPT\"\nDEFAULT_"
                   "FORWARD_POLICY=\"DROP\"\n");
  machine.put_file(kConfig, "ENABLED=no\nLOGLEVEL=low\n");
  for (const auto family : kFamilies) {
    const std::string prefix = ufw_prefix(family);
    machine.put_file(
        rules_path("before", family),
        fmt::format("*filter\n:{0}-before-input - [0:0]\n-A {0}-before-input -i lo -j ACCEPT\nCOMMIT\n", prefix),
        {0, 0, 0640});
    machine.put_file(rules_path("after", family), fmt::format("*filter\n:{}-after-input - [0:0]\nCOMMIT\n", prefix),
                     {0, 0, 0640});
    write_rules(machine, family, {});
    store(machine, family, {{{"INPUT", {"ACCEPT", {}}}, {"FORWARD", {"ACCEPT", {}}}, {"OUTPUT", {"ACCEPT", {}}}}});
    const std::string name = family == Family::kV4 ? "iptables" : "ip6tables";
    machine.on({name + "-save"}, [family](FakeSystem& fake, const CommandLine&) {
      return CommandResult{0, fake.bytes(kernel_path(family)), ""};
    });
    machine.on({name + "-restore"}, [family](FakeSystem& fake, const CommandLine& command) {
      const std::string& last = command.argv.back();
      return restore(fake, family, last.starts_with("/") ? fake.bytes(last) : command.input);
    });
    machine.on({name}, [family](FakeSystem& fake, const CommandLine& command) {
      return ipt(fake, family, Words(command.argv.begin() + (command.argv[1] == "-w" ? 3 : 1), command.argv.end()));
    });
  }
  machine.on({"ufw"}, ufw);
  machine.on({"/lib/ufw/ufw-init", "force-stop"}, [](FakeSystem& fake, const CommandLine&) {
    stop(fake);
    return CommandResult{};
  });
}

}  // namespace sentinel
