// SPDX-License-Identifier: Apache-2.0
// ufw's tuples, as ufw 0.36 writes them, against the words of the command that makes them.
#include "core/resources/ufw_rule.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sentinel {
namespace {

std::string command(const std::string& tuple, Families families = Families::kBoth) {
  const auto rule = parse_ufw_tuple(tuple);
  REQUIRE(rule.ok());
  return fmt::format("{}{}", rule->routed ? "route " : "", fmt::join(ufw_words(*rule, families, true), " "));
}

TEST_CASE("a tuple becomes the command that would make it") {
  const std::pair<const char*, const char*> pairs[] = {
      {"allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in", "allow 22/tcp"},
      {"limit tcp 2222 ::/0 any ::/0 in", "limit 2222/tcp"},
      {"allow any 53 0.0.0.0/0 any 0.0.0.0/0 in", "allow 53"},
      {"allow tcp 9100 0.0.0.0/0 any 192.0.2.0/24 in", "allow from 192.0.2.0/24 to any port 9100 proto tcp"},
      {"deny any any 0.0.0.0/0 any 203.0.113.7 in", "deny from 203.0.113.7 to any"},
      {"allow udp 6000:6007 0.0.0.0/0 any 0.0.0.0/0 in", "allow 6000:6007/udp"},
      {"allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 in", "allow 80,443/tcp"},
      {"allow any 8080 0.0.0.0/0 any 0.0.0.0/0 in_lo", "allow in on lo from any to any port 8080"},
      {"allow udp 123 0.0.0.0/0 any 0.0.0.0/0 out", "allow out 123/udp"},
      {"allow any any 0.0.0.0/0 any 0.0.0.0/0 out_eth0", "allow out on eth0 from any to any"},
      {"allow_log tcp 8443 0.0.0.0/0 any 0.0.0.0/0 in", "allow log 8443/tcp"},
      {"deny_log-all any any 0.0.0.0/0 any 192.0.2.1 in_eth0", "deny in on eth0 log-all from 192.0.2.1 to any"},
      {"allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 WWW - in", "allow WWW"},
      {"allow tcp 80,443 0.0.0.0/0 any 192.0.2.1 WWW%20Full - in", "allow from 192.0.2.1 to any app WWW Full"},
      {"route:allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in_eth0!out_eth1",
       "route allow in on eth0 out on eth1 from any to any port 80 proto tcp"},
      {"allow tcp any 0.0.0.0/0 1024:2048 192.0.2.1 in", "allow from 192.0.2.1 port 1024:2048 to any proto tcp"},
      {"allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=5353482066c3bc7220616c6c65",
       "allow 22/tcp comment SSH für alle"},
      {"allow tcp 22 0.0.0.0/0 any 0.0.0.0/0", "allow 22/tcp"},
  };
  for (const auto& [tuple, words] : pairs) {
    CAPTURE(tuple);
    CHECK(command(tuple) == words);
  }
}

TEST_CASE("a rule for one family alone names that family's whole address range") {
  CHECK(command("allow tcp 22 ::/0 any ::/0 in", Families::kV6) == "allow from ::/0 to any port 22 proto tcp");
  CHECK(command("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in", Families::kV4) ==
        "allow from 0.0.0.0/0 to any port 22 proto tcp");
  CHECK(command("allow tcp 22 ::/0 any 2001:db8::/32 in", Families::kV6) ==
        "allow from 2001:db8::/32 to any port 22 proto tcp");
}

TEST_CASE("tuples that ufw wouldn't write are refused") {
  for (const char* bad :
       {"", "allow tcp 22", "permit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in", "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 sideways",
        "allow_all tcp 22 0.0.0.0/0 any 0.0.0.0/0 in", "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=5g",
        "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 a b c d"}) {
    CAPTURE(bad);
    const auto rule = parse_ufw_tuple(bad);
    REQUIRE_FALSE(rule.ok());
    CHECK(rule.error().code == "ufw.bad-tuple");
  }
}

TEST_CASE("a rule file gives its rules and what it loads into which chain") {
  const auto file = parse_ufw_rules(
      "*filter\n:ufw-user-input - [0:0]\n:ufw-user-output - [0:0]\n:ufw-logging-deny - [0:0]\n### RULES ###\n\n"
      "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n-A ufw-user-input -p tcp --dport 22 -j ACCEPT\n\n"
      "### END RULES ###\n-A ufw-logging-deny -j LOG\n-I ufw-logging-deny -m conntrack --ctstate INVALID -j "
      "RETURN\nCOMMIT\n"
      "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n");
  REQUIRE(file.ok());
  REQUIRE(file->rules.size() == 1);
  CHECK(file->rules[0].to_port == "22");
  CHECK(file->table.find("ufw-user-input")->rules == std::vector<std::string>{"-p tcp --dport 22 -j ACCEPT"});
  CHECK(file->table.find("ufw-user-output")->rules.empty());
  CHECK(file->table.find("ufw-logging-deny")->rules ==
        std::vector<std::string>{"-m conntrack --ctstate INVALID -j RETURN", "-j LOG"});
  CHECK(file->table.find("POSTROUTING") == nullptr);
}

TEST_CASE("declared rules are checked before ufw sees them") {
  const auto error_of = [](FirewallRule rule) {
    const auto converted = to_ufw_rule(rule);
    return converted.ok() ? std::string("fine") : converted.error().code;
  };
  CHECK(error_of({"allow", "22", "tcp", "any", ""}) == "fine");
  CHECK(error_of({"allow", "", "any", "192.0.2.9", ""}) == "fine");
  const FirewallRule bad[] = {{"permit", "22", "tcp", "any", ""},       {"allow", "ssh", "tcp", "any", ""},
                              {"allow", "0", "tcp", "any", ""},         {"allow", "65536", "tcp", "any", ""},
                              {"allow", "22", "icmp", "any", ""},       {"allow", "22", "tcp", "host.example.com", ""},
                              {"allow", "6007:6000", "tcp", "any", ""}, {"allow", "80,443", "any", "any", ""},
                              {"allow", "22", "tcp", "any", "it's"},    {"allow", "22", "tcp", "any", "two\nlines"},
                              {"allow", "22 80", "tcp", "any", ""},     {"allow", "-f", "tcp", "any", ""}};
  for (const auto& rule : bad) {
    CAPTURE(rule.action, rule.port, rule.protocol, rule.from, rule.comment);
    CHECK(error_of(rule) == "firewall.bad-rule");
  }
}

TEST_CASE("a declared rule survives the way to ufw and back") {
  const FirewallRule rules[] = {{"allow", "22", "tcp", "any", "SSH"},
                                {"deny", "", "any", "203.0.113.0/24", ""},
                                {"limit", "6000:6007", "udp", "2001:db8::/32", ""},
                                {"reject", "25", "any", "any", ""}};
  for (const auto& rule : rules) {
    const auto there = to_ufw_rule(rule);
    REQUIRE(there.ok());
    CHECK(to_firewall_rule(*there, families_of(*there)) == rule);
  }
  const auto one_family = to_ufw_rule({"allow", "22", "tcp", "::/0", ""});
  REQUIRE(one_family.ok());
  CHECK(to_firewall_rule(*one_family, Families::kV6) == FirewallRule{"allow", "22", "tcp", "::/0", ""});
  UfwRule routed;
  routed.routed = true;
  CHECK_FALSE(to_firewall_rule(routed, Families::kBoth));
}

TEST_CASE("rules overlap when some packet could match both") {
  const auto overlap = [](const char* left, const char* right) {
    return parse_ufw_tuple(left)->overlaps(*parse_ufw_tuple(right));
  };
  const char* ssh = "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in";
  CHECK(overlap(ssh, "deny any any 0.0.0.0/0 any 203.0.113.7 in"));
  CHECK(overlap(ssh, "deny tcp 20:30 0.0.0.0/0 any 0.0.0.0/0 in"));
  CHECK_FALSE(overlap(ssh, "deny udp 22 0.0.0.0/0 any 0.0.0.0/0 in"));
  CHECK_FALSE(overlap(ssh, "deny tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 in"));
  CHECK_FALSE(overlap(ssh, "deny tcp 22 0.0.0.0/0 any 0.0.0.0/0 out"));
  CHECK_FALSE(overlap("allow any any 0.0.0.0/0 any 192.0.2.0/25 in", "deny any any 0.0.0.0/0 any 192.0.2.128/25 in"));
}

}  // namespace
}  // namespace sentinel
