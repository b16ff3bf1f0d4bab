// SPDX-License-Identifier: Apache-2.0
// The firewall judged on recorded answers: what the kernel has, what ufw will load, what gets past both.
#include <catch2/catch.hpp>

#include "core/audit/netfilter_rules.h"
#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

const json kWith{
    {"allow", {"22/tcp", "80/tcp", "443/tcp"}}, {"limit", json::array()}, {"extra", json::array()}, {"ipv6", true}};

json rule(const std::string& port, const std::string& action = "allow", const std::string& from = "any") {
  return {{"action", action},    {"log", ""},          {"protocol", "tcp"},
          {"to", "any"},         {"to_port", port},    {"to_application", ""},
          {"from", from},        {"from_port", "any"}, {"from_application", ""},
          {"direction", "in"},   {"routed", false},    {"interface_in", ""},
          {"interface_out", ""}, {"comment", ""}};
}

json loaded() {
  return {{"present", true},
          {"hooks", "right"},
          {"jumps", json::array()},
          {"early_accepts", json::array()},
          {"wrong_policies", json::array()},
          {"framework_differs", false},
          {"user_rules_differ", false},
          {"differences", json::array()},
          {"unsaid", json::array()}};
}

json ufw() {
  const json rules{rule("22"), rule("80"), rule("443")};
  return {{"installed", true},   {"enabled", true},  {"at_boot", true},  {"incoming", "deny"},
          {"outgoing", "allow"}, {"routed", "deny"}, {"logging", "low"}, {"ipv6", true},
          {"rules", rules},      {"rules6", rules},  {"v4", loaded()},   {"v6", loaded()}};
}

json filter(const std::string& prefix) {
  return {
      {"INPUT",
       {{"policy", "DROP"}, {"rules", {"-j " + prefix + "-before-logging-input", "-j " + prefix + "-before-input"}}}},
      {"OUTPUT", {{"policy", "ACCEPT"}, {"rules", json::array()}}},
      {prefix + "-before-input",
       {{"policy", "-"},
        {"rules",
         {"-i lo -j ACCEPT", "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
          "-p udp -m udp --sport 67 --dport 68 -j ACCEPT", "-d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT",
          "-p icmp -m icmp --icmp-type 8 -j ACCEPT", "-j " + prefix + "-user-input"}}}},
      {prefix + "-user-input", {{"policy", "-"}, {"rules", {"-p tcp -m tcp --dport 22 -j ACCEPT"}}}}};
}

json netfilter() {
  return {{"backends",
           {{{"backend", "nf_tables"}, {"family", "v4"}, {"tables", {{"filter", filter("ufw")}}}},
            {{"backend", "nf_tables"}, {"family", "v6"}, {"tables", {{"filter", filter("ufw6")}}}}}}};
}

json units(const std::string& nftables = "disabled") {
  const auto unit = [](const std::string& state) {
    return json{{"load", "loaded"}, {"active", "inactive"}, {"file_state", state}};
  };
  return {{"nftables.service", unit(nftables)},
          {"firewalld.service", unit("")},
          {"netfilter-persistent.service", unit("")}};
}

Finding closed(const json& ufw_state, const json& kernel, const json& with = kWith, const json& others = units()) {
  return judged("firewall-closed", with, record_of({{"ufw", ufw_state}, {"netfilter", kernel}, {"units", others}}));
}

const json kSshd{{"contexts", {{{"values", {{"permitrootlogin", "no"}}}}}}};

/// SSH for one network alone.
json narrow() {
  auto out = with_value(ufw(), "/rules", json::array({rule("22", "allow", "203.0.113.7")}));
  out["rules6"] = json::array();
  return out;
}

const std::string kInput = "/backends/0/tables/filter/INPUT";

[[maybe_unused]] const bool kPasses =
    passes("firewall-closed", kWith, {{"ufw", ufw()}, {"netfilter", netfilter()}, {"units", units()}}) &
    passes("firewall-ports", kWith, {{"ufw", ufw()}}) &
    passes("firewall-policy", {{"direction", "incoming"}, {"policy", "deny"}},
           {{"ufw", ufw()}, {"netfilter", netfilter()}}) &
    passes("firewall-ssh-narrow", {{"port", 22}}, {{"ufw", narrow()}, {"sshd.effective", kSshd}});

}  // namespace

TEST_CASE("firewall: the compliant host passes for both sides") {
  const auto finding = closed(ufw(), netfilter());
  INFO(finding.actual << finding.reason);
  CHECK(finding.verdict == Verdict::kPass);
  CHECK(finding.persistence == Persistence::kBoth);
}

TEST_CASE("trap ufw-unhooked: ufw says active, the kernel filters nothing") {
  auto state = ufw();
  state["v4"]["hooks"] = "wrong";
  auto kernel = with_value(netfilter(), kInput + "/policy", "ACCEPT");
  kernel[json::json_pointer(kInput + "/rules")] = json::array();
  const auto finding = closed(state, kernel);
  CHECK(finding.verdict == Verdict::kFail);
  CHECK(finding.persistence == Persistence::kRuntimeOnly);
  CHECK(has_trap(finding, "ufw-unhooked"));
}

TEST_CASE("trap foreign-accept: a rule ufw's list doesn't show, wherever it stands") {
  for (const std::string chain : {"INPUT", "ufw-before-input"}) {
    auto kernel = netfilter();
    kernel[json::json_pointer("/backends/0/tables/filter/" + chain + "/rules")].push_back(
        "-p tcp -m tcp --dport 9999 -j ACCEPT");
    const auto finding = closed(ufw(), kernel);
    INFO(chain);
    CHECK(finding.verdict == Verdict::kFail);
    CHECK(has_trap(finding, "foreign-accept"));
  }
  auto kernel = netfilter();
  kernel[json::json_pointer(kInput + "/rules")].push_back("-j mine");
  kernel[json::json_pointer("/backends/0/tables/filter")]["mine"] = {{"policy", "-"},
                                                                     {"rules", {"-s 203.0.113.0/24 -j ACCEPT"}}};
  CHECK(has_trap(closed(ufw(), kernel), "foreign-accept"));
}

TEST_CASE("trap foreign-accept: what ufw's files say comes back after a reboot, also what is not loaded yet") {
  const std::string rule = "-p tcp -m tcp --dport 9999 -j ACCEPT";
  auto kernel = netfilter();
  kernel[json::json_pointer("/backends/0/tables/filter/ufw-before-input/rules")].push_back(rule);
  CHECK(closed(ufw(), kernel).persistence == Persistence::kBoth);
  const auto by_hand = with_value(ufw(), "/v4/unsaid", {"ufw-before-input " + rule});
  CHECK(closed(by_hand, kernel).persistence == Persistence::kRuntimeOnly);
  const auto pending = [](const std::string& difference) {
    return closed(with_value(with_value(ufw(), "/v4/framework_differs", true), "/v4/differences", {difference}),
                  netfilter());
  };
  for (const char* accept : {"--dport 9999 -j ACCEPT -p tcp", "-j ACCEPT -s 198.51.100.0/24", "-j ACCEPT"}) {
    const auto finding = pending(std::string("IPv4: ufw-before-input lacks ") + accept);
    INFO(accept);
    CHECK(finding.persistence == Persistence::kBootOnly);
    CHECK(has_trap(finding, "foreign-accept"));
  }
  for (const char* other :
       {"IPv4: ufw-before-input lacks -j DROP", "IPv4: ufw-before-input has 3 of 4 rules",
        "IPv4: ufw-before-output lacks -j ACCEPT", "IPv4: ufw-before-input lacks -i lo -j ACCEPT"}) {
    const auto finding = pending(other);
    INFO(other);
    CHECK(finding.persistence == Persistence::kRuntimeOnly);
    CHECK_FALSE(has_trap(finding, "foreign-accept"));
  }
}

TEST_CASE("loopback, replies, and ufw's own answers to DHCP and mDNS are no foreign accepts") {
  CHECK(foreign_accepts(filter("ufw")).empty());
}

TEST_CASE("traps ufw-unit-disabled and ufw-enabled-no: fine now, gone after a reboot") {
  auto state = with_value(ufw(), "/at_boot", false);
  auto finding = closed(state, netfilter());
  CHECK(finding.verdict == Verdict::kFail);
  CHECK(finding.persistence == Persistence::kBootOnly);
  CHECK(has_trap(finding, "ufw-unit-disabled"));
  finding = closed(with_value(ufw(), "/enabled", false), netfilter());
  CHECK(finding.persistence == Persistence::kBootOnly);
  CHECK(has_trap(finding, "ufw-enabled-no"));
}

TEST_CASE("the set of open ports has to be equal, in each family") {
  auto more = ufw();
  more["rules6"].push_back(rule("5432"));
  auto finding = closed(more, netfilter());
  CHECK(finding.verdict == Verdict::kFail);
  CHECK(finding.actual == "v6: also open: 5432/tcp");
  auto less = ufw();
  less["rules"].erase(2);
  finding = closed(less, netfilter());
  CHECK(finding.actual == "v4: not open: 443/tcp");
  auto shadowed = ufw();
  shadowed["rules"].insert(shadowed["rules"].begin(), rule("443", "deny"));
  CHECK(closed(shadowed, netfilter()).actual == "v4: not open: 443/tcp");
}

TEST_CASE("limit opens a port, and both protocols open two") {
  auto state = ufw();
  state["rules"][0] = rule("22", "limit");
  CHECK(closed(state, netfilter()).verdict == Verdict::kPass);
  state["rules"][1]["protocol"] = "any";
  CHECK(closed(state, netfilter()).actual == "v4: also open: 80/udp");
}

TEST_CASE("trap ufw-no-ipv6: an outage, not an exposure") {
  auto state = with_value(ufw(), "/ipv6", false);
  state["v6"]["hooks"] = "none";
  const auto finding = closed(state, netfilter());
  CHECK(finding.verdict == Verdict::kWarn);
  CHECK(has_trap(finding, "ufw-no-ipv6"));
  CHECK(closed(state, netfilter(), with_value(kWith, "/ipv6", false)).verdict == Verdict::kPass);
}

TEST_CASE("trap docker-publishes-past-ufw: DNAT comes before ufw is asked") {
  auto kernel = netfilter();
  kernel["backends"][0]["tables"]["nat"] = {
      {"DOCKER",
       {{"policy", "-"},
        {"rules", {"! -i docker0 -p tcp -m tcp --dport 4222 -j DNAT --to-destination 172.17.0.2:4222"}}}}};
  auto finding = closed(ufw(), kernel);
  CHECK(finding.verdict == Verdict::kFail);
  CHECK(has_trap(finding, "docker-publishes-past-ufw"));
  kernel["backends"][0]["tables"]["nat"]["DOCKER"]["rules"] = {
      "-d 127.0.0.1/32 ! -i docker0 -p tcp -m tcp --dport 4222 -j DNAT --to-destination 172.17.0.2:4222"};
  CHECK(closed(ufw(), kernel).verdict == Verdict::kPass);
}

TEST_CASE("traps competing-firewall and iptables-two-backends warn") {
  CHECK(has_trap(closed(ufw(), netfilter(), kWith, units("enabled")), "competing-firewall"));
  auto kernel = netfilter();
  kernel["backends"].push_back({{"backend", "legacy"}, {"family", "v4"}, {"tables", {{"filter", filter("ufw")}}}});
  const auto finding = closed(ufw(), kernel);
  CHECK(finding.verdict == Verdict::kWarn);
  CHECK(has_trap(finding, "iptables-two-backends"));
  kernel["backends"][2]["tables"]["filter"] = {{"INPUT", {{"policy", "ACCEPT"}, {"rules", json::array()}}}};
  CHECK(closed(ufw(), kernel).verdict == Verdict::kPass);
}

TEST_CASE("trap shadowed-rule: a broad allow beside the narrow one") {
  const auto judge_narrow = [&](const json& rules, const json& effective) {
    auto state = ufw();
    state["rules"] = rules;
    state["rules6"] = json::array();
    return judged("firewall-ssh-narrow", {{"port", 22}}, record_of({{"ufw", state}, {"sshd.effective", effective}}));
  };
  auto finding = judge_narrow({rule("22"), rule("22", "allow", "203.0.113.7")}, kSshd);
  CHECK(finding.verdict == Verdict::kFail);
  CHECK(has_trap(finding, "shadowed-rule"));
  CHECK(judge_narrow(json::array({rule("22", "allow", "203.0.113.7")}), kSshd).verdict == Verdict::kPass);
  CHECK(judge_narrow(json::array({rule("22")}), kSshd).verdict == Verdict::kFail);
  // Where SSH is meant for everybody a narrow rule beside is a misunderstanding.
  auto both = ufw();
  both["rules"].push_back(rule("22", "allow", "203.0.113.7"));
  const auto ports = judged("firewall-ports", kWith, record_of({{"ufw", both}}));
  CHECK(ports.verdict == Verdict::kWarn);
  CHECK(has_trap(ports, "shadowed-rule"));
  const json by_sshd{{"contexts", {{{"values", {{"allowusers", "deploy@203.0.113.0/24"}}}}}}};
  CHECK(judge_narrow(json::array({rule("22")}), by_sshd).verdict == Verdict::kPass);
}

TEST_CASE("policies: what is configured and what the kernel has are two sides") {
  const auto policy = [](const json& state, const json& kernel, const std::string& direction,
                         const std::string& wanted) {
    return judged("firewall-policy", {{"direction", direction}, {"policy", wanted}},
                  record_of({{"ufw", state}, {"netfilter", kernel}}));
  };
  CHECK(policy(ufw(), netfilter(), "incoming", "deny").verdict == Verdict::kPass);
  CHECK(policy(ufw(), netfilter(), "outgoing", "allow").verdict == Verdict::kPass);
  CHECK(policy(with_value(ufw(), "/incoming", "allow"), netfilter(), "incoming", "deny").persistence ==
        Persistence::kBootOnly);
  CHECK(policy(ufw(), with_value(netfilter(), kInput + "/policy", "ACCEPT"), "incoming", "deny").persistence ==
        Persistence::kRuntimeOnly);
}

}  // namespace sentinel
