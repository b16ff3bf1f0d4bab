// SPDX-License-Identifier: Apache-2.0
// The firewall: what the kernel filters now, what ufw will load at boot, and what gets past both.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "core/audit/families.h"
#include "core/audit/netfilter_rules.h"
#include "core/audit/ruling.h"
#include "core/audit/units.h"

namespace sentinel {
namespace {

using nlohmann::json;
using Ports = std::set<std::string>;

constexpr const char* kUfw = "ufw";
constexpr const char* kNetfilter = "netfilter";
const std::vector<std::string> kOthers{"nftables.service", "firewalld.service", "netfilter-persistent.service"};

std::string text(const json& object, const char* key) {
  return object.at(key).get<std::string>();
}

void add_port(const std::string& port, const std::string& protocol, Ports& out) {
  if (protocol == "any") {
    out.insert(port + "/tcp");
    out.insert(port + "/udp");
  } else {
    out.insert(port + "/" + protocol);
  }
}

/// "80,443", "6000:6007"
void add_ports(const std::string& list, const std::string& protocol, Ports& out) {
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const auto end = std::min(list.find(',', begin), list.size());
    add_port(list.substr(begin, end - begin), protocol, out);
    begin = end + 1;
  }
}

/// "22/tcp", "443", {port, protocol, action, from}: what the project opens.
Result<Ports> declared_ports(const json& list) {
  Ports out;
  for (const auto& item : list) {
    if (item.is_object()) {
      const auto action = item.value("action", "allow");
      if (action != "allow" && action != "limit") continue;
      const auto& port = item.at("port");
      add_port(port.is_string() ? port.get<std::string>() : port.dump(), item.value("protocol", "tcp"), out);
      continue;
    }
    const auto spec = item.is_string() ? item.get<std::string>() : item.dump();
    const auto slash = spec.find('/');
    add_port(spec.substr(0, slash), slash == std::string::npos ? "tcp" : spec.substr(slash + 1), out);
  }
  return out;
}

bool is_anywhere(const json& rule) {
  return text(rule, "from") == "any" && text(rule, "to") == "any" && text(rule, "interface_in").empty();
}

/// Ports that ufw's rules open, in their order: what a broad deny above them closed stays closed.
Ports opened_ports(const json& rules) {
  Ports out;
  Ports closed;
  for (const auto& rule : rules) {
    if (text(rule, "direction") != "in" || rule.at("routed").get<bool>()) continue;
    const auto action = text(rule, "action");
    const bool opens = action == "allow" || action == "limit";
    if (!opens && !is_anywhere(rule)) continue;
    Ports ports;
    add_ports(text(rule, "to_port"), text(rule, "protocol"), ports);
    for (const auto& port : ports) {
      if (!opens) closed.insert(port);
      if (opens && !closed.contains(port)) out.insert(port);
    }
  }
  return out;
}

Ports without(const Ports& from, const Ports& what) {
  Ports out;
  for (const auto& port : from) {
    if (!what.contains(port)) out.insert(port);
  }
  return out;
}

/// Whether ufw will be in force after a boot.
void judge_boot(const json& ufw, Ruling& ruling) {
  if (!ufw.at("enabled").get<bool>()) {
    const bool loaded = ufw.at("v4").at("present").get<bool>();
    ruling.fault("ENABLED is not yes in /etc/ufw/ufw.conf", Persistence::kBootOnly);
    if (loaded) {
      ruling.trap("ufw-enabled-no", "ufw's rules are loaded, but its configuration says they won't be after a reboot",
                  "ufw --force enable");
    }
  }
  if (!ufw.at("at_boot").get<bool>()) {
    ruling.fault("ufw.service is not enabled", Persistence::kBootOnly);
    ruling.trap("ufw-unit-disabled", "ufw status says active, but nothing loads its rules at boot",
                "systemctl enable ufw");
  }
  if (text(ufw, "incoming") == "allow")
    ruling.fault("the default for incoming traffic is allow", Persistence::kBootOnly);
}

/// A rule of ufw's files that the kernel doesn't have, and that lets clients in from the next start on.
struct PendingAccept {
  std::string chain;
  std::string rule;
  Ports ports;  ///< none: every port
};

/// Of "IPv4: CHAIN lacks RULE".
std::optional<PendingAccept> pending_accept(const std::string& difference) {
  constexpr std::string_view kLacks = " lacks ";
  const auto lacks = difference.find(kLacks);
  if (lacks == std::string::npos) return std::nullopt;
  PendingAccept out;
  const auto chain = difference.rfind(' ', lacks - 1) + 1;
  out.chain = difference.substr(chain, lacks - chain);
  out.rule = difference.substr(lacks + kLacks.size());
  const auto words = words_of_rule(out.rule);
  if (option_of(words, "-j") != "ACCEPT" || !out.chain.ends_with("-input") || !lets_clients_in(words))
    return std::nullopt;
  for (const char* option : {"--dport", "--dports"}) {
    const auto list = option_of(words, option);
    if (!list.empty()) add_ports(list, option_of(words, "-p"), out.ports);
  }
  return out;
}

/// Ports that ufw's files open and the kernel doesn't yet.
Ports pending_ports(const json& loaded) {
  Ports out;
  for (const auto& item : loaded.at("differences")) {
    if (auto pending = pending_accept(item.get<std::string>())) out.merge(pending->ports);
  }
  return out;
}

/// What the kernel has otherwise than ufw's files. A rule that opens too much and isn't loaded is a fault of tomorrow.
void judge_differences(const json& loaded, const Ports& wanted, Ruling& ruling) {
  const bool differs = loaded.at("user_rules_differ").get<bool>() || loaded.at("framework_differs").get<bool>();
  for (const auto& item : loaded.at("differences")) {
    const auto difference = item.get<std::string>();
    ruling.saw(kUfw, difference, "kernel against /etc/ufw");
    if (!differs) continue;
    const auto pending = pending_accept(difference);
    const bool tomorrow = pending && without(pending->ports, wanted) == pending->ports;
    ruling.fault(difference, tomorrow ? Persistence::kBootOnly : Persistence::kRuntimeOnly);
    if (tomorrow && pending->chain.find("-user-") == std::string::npos) {
      ruling.trap("foreign-accept",
                  fmt::format("ufw status does not show it, and it is not loaded yet: {}", pending->rule),
                  "take the rule out of ufw's before.rules or after.rules, or say it to ufw");
    }
  }
}

void judge_family_now(const char* family, const json& ufw, const json& netfilter, const Ports& wanted, Ruling& ruling) {
  const auto* filter = table_of(netfilter, "nf_tables", family, "filter");
  if (filter == nullptr || !filter->contains("INPUT")) filter = table_of(netfilter, "legacy", family, "filter");
  if (filter == nullptr || !filter->contains("INPUT")) {
    ruling.fault(fmt::format("the kernel filters nothing for {}", family), Persistence::kRuntimeOnly);
    return;
  }
  const auto policy = text(filter->at("INPUT"), "policy");
  ruling.saw(kNetfilter, fmt::format("{}: INPUT policy {}", family, policy), "iptables-save");
  const bool closed = family == std::string("v6") && !ufw.at("ipv6").get<bool>();
  const auto& loaded = ufw.at(family);
  if (policy != "DROP")
    ruling.fault(fmt::format("{}: policy of INPUT is {}", family, policy), Persistence::kRuntimeOnly);
  if (!closed && text(loaded, "hooks") != "right") {
    ruling.fault(fmt::format("{}: INPUT does not lead to ufw's rules", family), Persistence::kRuntimeOnly);
    if (ufw.at("enabled").get<bool>()) {
      ruling.trap("ufw-unhooked",
                  "ufw status says active, but its chains are not asked; ufw reload and ufw enable don't repair it",
                  "/usr/lib/ufw/ufw-init flush-all, then ufw --force enable");
    }
  }
  judge_differences(loaded, wanted, ruling);
  const auto unsaid = loaded.at("unsaid").get<std::vector<std::string>>();
  for (const auto& [chain, rule] : foreign_accepts(*filter)) {
    // ufw's own chains are filled from its files, so what stands there and in a file comes back.
    const bool said =
        chain.starts_with("ufw") && std::find(unsaid.begin(), unsaid.end(), chain + " " + rule) == unsaid.end();
    ruling.fault(fmt::format("{}: accepted without ufw: {}: {}", family, chain, rule),
                 said ? Persistence::kBoth : Persistence::kRuntimeOnly);
    ruling.trap("foreign-accept", fmt::format("ufw status does not show it: {}: {}", chain, rule),
                "delete the rule, or say it to ufw");
  }
}

void judge_ports(const char* family, const json& ufw, const Ports& wanted, Ruling& ruling) {
  const auto open = opened_ports(ufw.at(family == std::string("v4") ? "rules" : "rules6"));
  const auto pending = pending_ports(ufw.at(family));
  ruling.saw(kUfw, fmt::format("{} open: {}", family, fmt::join(open, ", ")),
             family == std::string("v4") ? "/etc/ufw/user.rules" : "/etc/ufw/user6.rules");
  if (const auto more = without(open, wanted); !more.empty())
    ruling.fault(fmt::format("{}: also open: {}", family, fmt::join(more, ", ")),
                 without(more, pending).empty() ? Persistence::kBootOnly : Persistence::kBoth);
  if (const auto less = without(wanted, open); !less.empty())
    ruling.fault(fmt::format("{}: not open: {}", family, fmt::join(less, ", ")));
}

void judge_published(const json& netfilter, const Ports& wanted, Ruling& ruling) {
  for (const char* family : {"v4", "v6"}) {
    for (const char* backend : {"nf_tables", "legacy"}) {
      const auto* nat = table_of(netfilter, backend, family, "nat");
      if (nat == nullptr) continue;
      for (const auto& port : published_ports(*nat)) {
        const auto name = port.port + "/" + port.protocol;
        ruling.saw(kNetfilter, fmt::format("{} DNAT {} -> {}", family, name, port.destination), "table nat");
        if (wanted.contains(name)) continue;
        ruling.fault(fmt::format("{}: {} is published past ufw, to {}", family, name, port.destination));
        ruling.trap("docker-publishes-past-ufw",
                    fmt::format("the port {} reaches a container before ufw's rules are asked", name),
                    "publish it on 127.0.0.1 only");
      }
    }
  }
}

/// Whether a table does anything: a back end that was used once keeps its empty chains.
bool has_rules(const json* table) {
  return table != nullptr && std::any_of(table->begin(), table->end(), [](const json& chain) {
           return !chain.at("rules").empty() || chain.at("policy") == "DROP";
         });
}

void judge_others(const json& netfilter, const json& units, Ruling& ruling) {
  for (const auto& name : kOthers) {
    const auto state = units.at(name).at("file_state").get<std::string>();
    if (state != "enabled") continue;
    ruling.doubt(fmt::format("{} is enabled beside ufw", name));
    ruling.trap("competing-firewall", fmt::format("{} loads rules of its own at boot, before or after ufw", name),
                fmt::format("systemctl disable --now {}", name));
  }
  for (const char* family : {"v4", "v6"}) {
    if (!has_rules(table_of(netfilter, "legacy", family, "filter")) ||
        !has_rules(table_of(netfilter, "nf_tables", family, "filter")))
      continue;
    ruling.doubt(fmt::format("{}: both the nf_tables and the legacy back end have rules", family));
    ruling.trap("iptables-two-backends", "rules of one back end are not shown by the tools of the other",
                "iptables-legacy -F, or update-alternatives");
  }
}

void shadowed(const std::string& port, Ruling& ruling) {
  ruling.trap("shadowed-rule", fmt::format("allow {} from anywhere lets in what the narrow rule would not", port),
              "delete the broad rule, after a session through the narrow one works");
}

Result<Ports> wanted_ports(const json& with) {
  Ports wanted;
  for (const char* key : {"allow", "limit", "extra"}) {
    if (!with.contains(key)) continue;
    SENTINEL_TRY(const auto more, declared_ports(with.at(key)));
    wanted.insert(more.begin(), more.end());
  }
  return wanted;
}

/// with: {allow, limit, extra: ports as the firewall role has them; ipv6}
Result<Judged> judge_closed(const Case& subject) {
  SENTINEL_TRY(const auto wanted, wanted_ports(subject.with()));
  Ruling ruling(fmt::format("nothing comes in but {}, now and after a reboot", fmt::join(wanted, ", ")));
  SENTINEL_TRY(const auto* ufw, subject.seen(kUfw));
  if (!ufw->at("installed").get<bool>()) {
    ruling.fault("ufw is not installed");
    return std::move(ruling).close("");
  }
  SENTINEL_TRY(const auto* netfilter, subject.seen(kNetfilter));
  SENTINEL_TRY(const auto* units, subject.seen("units"));
  judge_boot(*ufw, ruling);
  for (const char* family : {"v4", "v6"}) judge_family_now(family, *ufw, *netfilter, wanted, ruling);
  judge_ports("v4", *ufw, wanted, ruling);
  if (ufw->at("ipv6").get<bool>()) {
    judge_ports("v6", *ufw, wanted, ruling);
  } else if (subject.with().value("ipv6", true)) {
    ruling.doubt("IPv6 is off in ufw: nobody can reach the host by it");
    ruling.trap("ufw-no-ipv6", "with IPV6=no ufw drops all of IPv6, outgoing too; it is an outage, not an exposure",
                "IPV6=yes in /etc/default/ufw, then ufw reload");
  }
  judge_published(*netfilter, wanted, ruling);
  judge_others(*netfilter, *units, ruling);
  return std::move(ruling).close(fmt::format("only {}", fmt::join(wanted, ", ")), Persistence::kBoth);
}

/// with: {direction: incoming|outgoing, policy: deny|allow}
Result<Judged> judge_policy(const Case& subject) {
  const auto direction = text(subject.with(), "direction");
  const auto policy = text(subject.with(), "policy");
  Ruling ruling(fmt::format("{} traffic: {} by default", direction, policy));
  SENTINEL_TRY(const auto* ufw, subject.seen(kUfw));
  if (!ufw->at("installed").get<bool>()) {
    ruling.fault("ufw is not installed");
    return std::move(ruling).close("");
  }
  SENTINEL_TRY(const auto* netfilter, subject.seen(kNetfilter));
  if (direction == "incoming") judge_boot(*ufw, ruling);
  const auto configured = ufw->at(direction).get<std::string>();
  ruling.saw(kUfw, fmt::format("default {} {}", configured, direction), "/etc/default/ufw");
  if (configured != policy)
    ruling.fault(fmt::format("the default for {} traffic is {}", direction, configured), Persistence::kBootOnly);
  const std::string chain = direction == "incoming" ? "INPUT" : "OUTPUT";
  const std::string wanted = policy == "allow" ? "ACCEPT" : "DROP";
  for (const char* family : {"v4", "v6"}) {
    if (family == std::string("v6") && !ufw->at("ipv6").get<bool>()) continue;
    const auto* filter = table_of(*netfilter, "nf_tables", family, "filter");
    const std::string now =
        filter == nullptr || !filter->contains(chain) ? "ACCEPT" : text(filter->at(chain), "policy");
    ruling.saw(kNetfilter, fmt::format("{}: {} policy {}", family, chain, now), "iptables-save");
    if (now != wanted)
      ruling.fault(fmt::format("{}: policy of {} is {}", family, chain, now), Persistence::kRuntimeOnly);
    if (direction == "incoming" && ufw->at("enabled").get<bool>() && text(ufw->at(family), "hooks") != "right")
      ruling.fault(fmt::format("{}: INPUT does not lead to ufw's rules", family), Persistence::kRuntimeOnly);
  }
  return std::move(ruling).close(policy, Persistence::kBoth);
}

/// Declared ports that a rule opens to everybody and another one to somebody: the narrow one does nothing.
void judge_shadowed(const json& rules, const Ports& wanted, Ruling& ruling) {
  Ports broad;
  Ports narrow;
  for (const auto& rule : rules) {
    const auto open = opened_ports(json::array({rule}));
    (is_anywhere(rule) ? broad : narrow).insert(open.begin(), open.end());
  }
  for (const auto& port : narrow) {
    if (!broad.contains(port) || !wanted.contains(port)) continue;
    ruling.doubt(fmt::format("{} is open to everybody, so the rule for some does nothing", port));
    shadowed(port, ruling);
  }
}

/// with: {allow, limit, extra, ipv6}
Result<Judged> judge_port_set(const Case& subject) {
  SENTINEL_TRY(const auto wanted, wanted_ports(subject.with()));
  Ruling ruling(fmt::format("exactly {} are open", fmt::join(wanted, ", ")));
  SENTINEL_TRY(const auto* ufw, subject.seen(kUfw));
  judge_ports("v4", *ufw, wanted, ruling);
  if (ufw->at("ipv6").get<bool>()) judge_ports("v6", *ufw, wanted, ruling);
  for (const char* list : {"rules", "rules6"}) judge_shadowed(ufw->at(list), wanted, ruling);
  for (const char* family : {"v4", "v6"}) {
    const auto& loaded = ufw->at(family);
    if (!loaded.at("user_rules_differ").get<bool>()) continue;
    const auto pending = pending_ports(loaded);
    const bool only_tomorrow = pending.size() == loaded.at("differences").size() && without(pending, wanted) == pending;
    ruling.fault(fmt::format("{}: the kernel has other rules than ufw's files", family),
                 only_tomorrow ? Persistence::kBootOnly : Persistence::kRuntimeOnly);
  }
  return std::move(ruling).close(fmt::format("{}", fmt::join(wanted, ", ")), Persistence::kBoth);
}

/// with: {port, from: [network]}. Where sshd itself enforces the networks the firewall need not.
Result<Judged> judge_narrow(const Case& subject) {
  const auto port =
      subject.with().at("port").is_string() ? text(subject.with(), "port") : subject.with().at("port").dump();
  Ruling ruling(fmt::format("port {} is open to the administrators' networks only", port));
  SENTINEL_TRY(const auto* ufw, subject.seen(kUfw));
  SENTINEL_TRY(const auto* effective, subject.seen("sshd.effective"));
  bool narrow = false;
  bool broad = false;
  for (const char* list : {"rules", "rules6"}) {
    for (const auto& rule : ufw->at(list)) {
      const auto action = text(rule, "action");
      if (text(rule, "direction") != "in" || (action != "allow" && action != "limit")) continue;
      const Ports open = opened_ports(json::array({rule}));
      if (!open.contains(port + "/tcp") && !open.contains("any/tcp")) continue;
      const bool anywhere = is_anywhere(rule);
      ruling.saw(kUfw, fmt::format("{} {} from {}", action, port, text(rule, "from")),
                 list == std::string("rules") ? "/etc/ufw/user.rules" : "/etc/ufw/user6.rules");
      broad = broad || anywhere;
      narrow = narrow || !anywhere;
    }
  }
  const auto& values = effective->at("contexts").at(0).at("values");
  const auto users = values.value("allowusers", std::string());
  if (!users.empty()) ruling.saw("sshd.effective", "allowusers " + users, "sshd -T");
  const bool by_sshd = !users.empty() && users.find('@') != std::string::npos;
  if (broad && narrow) {
    ruling.fault("a rule for everybody makes the narrow one void");
    shadowed(port, ruling);
  } else if (broad && !by_sshd) {
    ruling.fault(fmt::format("port {} is open to everybody", port));
  } else if (!broad && !narrow) {
    ruling.fault(fmt::format("no rule opens port {}", port));
  }
  return std::move(ruling).close(
      broad ? "sshd lets in the administrators' networks only" : "only the administrators' networks",
      Persistence::kBoth);
}

std::vector<ProbeOrder> ask_firewall(const json&) {
  return {{kUfw, json::object()}, {kNetfilter, json::object()}, {"units", {{"units", kOthers}}}};
}

}  // namespace

std::vector<Judgement> firewall_judgements() {
  return {{"firewall-closed", ask_firewall, judge_closed},
          {"firewall-policy",
           [](const json&) {
             return std::vector<ProbeOrder>{{kUfw, json::object()}, {kNetfilter, json::object()}};
           },
           judge_policy},
          {"firewall-ports",
           [](const json&) {
             return std::vector<ProbeOrder>{{kUfw, json::object()}};
           },
           judge_port_set},
          {"firewall-ssh-narrow",
           [](const json&) {
             return std::vector<ProbeOrder>{{kUfw, json::object()}, {"sshd.effective", json::object()}};
           },
           judge_narrow}};
}

}  // namespace sentinel
