// SPDX-License-Identifier: Apache-2.0
// Which ufw commands a difference takes. A little ufw in memory runs them, so that every case ends with the declared
// list.
#include "core/resources/firewall_rules.h"

#include <algorithm>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sentinel {
namespace {

UfwRule rule(const std::string& action, const std::string& port, const std::string& from = "any",
             const std::string& comment = "") {
  const auto made = to_ufw_rule({action, port, port.empty() ? "any" : "tcp", from, comment});
  REQUIRE(made.ok());
  return *made;
}

FirewallRule declared(const std::string& action, const std::string& port, const std::string& from = "any",
                      const std::string& comment = "") {
  return {action, port, port.empty() ? "any" : "tcp", from, comment};
}

/// How ufw 0.36 treats the lists: append, change in place, delete, put in front.
void run(UfwLists& lists, const Action& action) {
  auto words = std::get<RunCommand>(action).argv;
  REQUIRE(words[0] == "ufw");
  words.erase(words.begin());
  const bool removes = words[0] == "delete";
  const bool in_front = words[0] == "prepend";
  if (removes || in_front) words.erase(words.begin());
  UfwRule wanted;
  wanted.action = words[0];
  bool v4 = true;
  bool v6 = true;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "comment")
      wanted.comment = words[++i];
    else if (words[i] == "from") {
      wanted.from = words[++i];
      v6 = wanted.from == "any" || wanted.from.find(':') != std::string::npos;
      v4 = wanted.from == "any" || !v6;
      if (wanted.from == "::/0" || wanted.from == "0.0.0.0/0") wanted.from = "any";
    } else if (words[i] == "to") {
      ++i;
    } else if (words[i] == "port")
      wanted.to_port = words[++i];
    else if (words[i] == "proto")
      wanted.protocol = words[++i];
    else {
      const auto slash = words[i].find('/');
      wanted.to_port = words[i].substr(0, slash);
      if (slash != std::string::npos) wanted.protocol = words[i].substr(slash + 1);
    }
  }
  for (auto* list : {&lists.v4, &lists.v6}) {
    if (list == &lists.v4 ? !v4 : !v6) continue;
    const auto known =
        std::find_if(list->begin(), list->end(), [&](const UfwRule& other) { return other.same_traffic(wanted); });
    if (removes) {
      if (known != list->end() && known->action == wanted.action) list->erase(known);
    } else if (known != list->end()) {
      REQUIRE_FALSE(in_front);
      *known = wanted;
    } else {
      list->insert(in_front ? list->begin() : list->end(), wanted);
    }
  }
}

std::vector<std::string> texts(const std::vector<UfwRule>& list) {
  std::vector<std::string> out;
  for (const auto& one : list) out.push_back(shown(one));
  return out;
}

struct Outcome {
  std::vector<std::string> commands;
  std::vector<std::string> v4;
  std::vector<std::string> v6;
};

/// Plans, runs the commands, and requires that nothing is left to do.
Outcome converge(const Firewall& want, UfwLists lists, const std::vector<std::string>& keep_open = {}) {
  const auto wanted = wanted_rules(want, lists, keep_open);
  REQUIRE(wanted.ok());
  auto difference = compare_rules(*wanted, lists);
  CHECK(difference.changes.empty() == (difference.additions.empty() && difference.deletions.empty()));
  Outcome out;
  auto actions = difference.additions;
  actions.insert(actions.end(), difference.deletions.begin(), difference.deletions.end());
  for (const auto& action : actions) {
    out.commands.push_back(fmt::format("{}", fmt::join(std::get<RunCommand>(action).argv, " ")));
    run(lists, action);
  }
  const auto again = wanted_rules(want, lists, keep_open);
  REQUIRE(again.ok());
  const auto rest = compare_rules(*again, lists);
  CHECK(rest.changes.empty());
  CHECK(rest.additions.empty());
  CHECK(rest.deletions.empty());
  out.v4 = texts(lists.v4);
  out.v6 = texts(lists.v6);
  return out;
}

using Texts = std::vector<std::string>;

TEST_CASE("rules that are declared and there take no command") {
  Firewall want;
  want.rules = {declared("allow", "22"), declared("allow", "443")};
  const UfwLists lists{{rule("allow", "443"), rule("allow", "22")}, {rule("allow", "22"), rule("allow", "443")}};
  CHECK(converge(want, lists).commands.empty());
}

TEST_CASE("new rules are added before others are deleted") {
  Firewall want;
  want.rules = {declared("allow", "2222"), declared("allow", "443")};
  const UfwLists lists{{rule("allow", "22"), rule("allow", "443")}, {rule("allow", "22"), rule("allow", "443")}};
  CHECK(converge(want, lists).commands == Texts{"ufw allow 2222/tcp", "ufw delete allow 22/tcp"});
}

TEST_CASE("another action for the same traffic is changed in place") {
  Firewall want;
  want.rules = {declared("limit", "22"), declared("allow", "443", "any", "web")};
  const UfwLists lists{{rule("allow", "22"), rule("allow", "443")}, {rule("allow", "22"), rule("allow", "443")}};
  CHECK(converge(want, lists).commands == Texts{"ufw limit 22/tcp", "ufw allow 443/tcp comment web"});
}

TEST_CASE("each family is compared by itself") {
  Firewall want;
  want.rules = {declared("allow", "22"), declared("allow", "9100", "192.0.2.0/24"),
                declared("allow", "80", "0.0.0.0/0")};
  const UfwLists lists{{rule("allow", "22")}, {rule("allow", "80"), rule("deny", "25")}};
  const auto outcome = converge(want, lists);
  CHECK(outcome.v4 == Texts{"allow 22/tcp", "allow from 192.0.2.0/24 to any port 9100 proto tcp", "allow 80/tcp"});
  CHECK(outcome.v6 == Texts{"allow 22/tcp"});
}

TEST_CASE("with IPv6 off its list is left alone") {
  Firewall want;
  want.ipv6 = false;
  want.rules = {declared("allow", "22")};
  CHECK(converge(want, {{rule("allow", "22")}, {}}).commands.empty());
  want.rules.push_back(declared("allow", "22", "2001:db8::/32"));
  CHECK(wanted_rules(want, {}, {}).error().code == "firewall.bad-rule");
}

TEST_CASE("a deny that must come before an allow is put in front") {
  Firewall want;
  want.rules = {declared("deny", "", "203.0.113.0/24"), declared("allow", "22")};
  const UfwLists lists{{rule("allow", "22")}, {rule("allow", "22")}};
  const auto outcome = converge(want, lists);
  CHECK(outcome.commands == Texts{"ufw prepend deny from 203.0.113.0/24 to any"});
  CHECK(outcome.v4 == Texts{"deny from 203.0.113.0/24 to any", "allow 22/tcp"});
}

TEST_CASE("an allow that must come before a deny is moved there") {
  Firewall want;
  want.rules = {declared("allow", "22", "192.0.2.0/24"), declared("deny", "22")};
  const UfwLists lists{{rule("deny", "22"), rule("allow", "22", "192.0.2.0/24")}, {rule("deny", "22")}};
  const auto outcome = converge(want, lists);
  CHECK(outcome.commands == Texts{"ufw delete allow from 192.0.2.0/24 to any port 22 proto tcp",
                                  "ufw prepend allow from 192.0.2.0/24 to any port 22 proto tcp"});
}

TEST_CASE("order among rules that decide alike is nobody's business") {
  Firewall want;
  want.rules = {declared("allow", "22"), declared("allow", "", "192.0.2.1"), declared("deny", "25")};
  const UfwLists lists{{rule("deny", "25"), rule("allow", "", "192.0.2.1"), rule("allow", "22")},
                       {rule("deny", "25"), rule("allow", "22")}};
  // 192.0.2.1 may use port 25 by the declaration and may not by the list: that pair has to change places.
  const auto outcome = converge(want, lists);
  CHECK(outcome.commands == Texts{"ufw delete allow from 192.0.2.1 to any", "ufw prepend allow from 192.0.2.1 to any"});
  CHECK(std::find(outcome.v4.begin(), outcome.v4.end(), "allow from 192.0.2.1 to any") <
        std::find(outcome.v4.begin(), outcome.v4.end(), "deny 25/tcp"));
  want.rules = {declared("allow", "22"), declared("deny", "25")};
  CHECK(converge(want, {{rule("deny", "25"), rule("allow", "22")}, {rule("deny", "25"), rule("allow", "22")}})
            .commands.empty());
}

TEST_CASE("rules a playbook can't say are removed all the same") {
  Firewall want;
  UfwRule routed = rule("allow", "80");
  routed.routed = true;
  routed.interface_in = "eth0";
  routed.interface_out = "eth1";
  const auto wanted = wanted_rules(want, {{routed}, {routed}}, {});
  REQUIRE(wanted.ok());
  const auto difference = compare_rules(*wanted, {{routed}, {routed}});
  REQUIRE(difference.deletions.size() == 1);
  CHECK(fmt::format("{}", fmt::join(std::get<RunCommand>(difference.deletions[0]).argv, " ")) ==
        "ufw route delete allow in on eth0 out on eth1 from any to any port 80 proto tcp");
}

TEST_CASE("the port in use for SSH stays open though nothing declares it") {
  Firewall want;
  want.rules = {declared("allow", "443")};
  const auto outcome = converge(want, {}, {"2222"});
  CHECK(outcome.v4 == Texts{"allow 443/tcp", "allow 2222/tcp # kept open: SSH is in use here"});
  CHECK(outcome.v6 == outcome.v4);
}

TEST_CASE("what opens the SSH port now is kept as it is, no wider") {
  Firewall want;
  want.rules = {declared("allow", "443")};
  const UfwLists lists{{rule("limit", "22", "192.0.2.0/24"), rule("allow", "443")}, {rule("allow", "443")}};
  const auto outcome = converge(want, lists, {"22"});
  CHECK(outcome.v4 ==
        Texts{"limit from 192.0.2.0/24 to any port 22 proto tcp # kept open: SSH is in use here", "allow 443/tcp"});
  CHECK(outcome.v6 == Texts{"allow 443/tcp"});
}

TEST_CASE("a declared rule that opens the SSH port is enough, for whomever it is") {
  Firewall want;
  for (const auto& opening : {declared("allow", "22", "192.0.2.0/24"), declared("limit", "22"),
                              declared("allow", "20:30"), declared("allow", "", "192.0.2.1")}) {
    want.rules = {opening};
    const auto wanted = wanted_rules(want, {}, {"22"});
    REQUIRE(wanted.ok());
    CHECK(wanted->size() == 1);
  }
}

TEST_CASE("a declaration that closes the SSH port doesn't") {
  Firewall want;
  want.rules = {declared("allow", "443"), declared("deny", "22")};
  const auto outcome = converge(want, {{rule("allow", "22")}, {rule("allow", "22")}}, {"22"});
  CHECK(outcome.v4 == Texts{"allow 22/tcp # kept open: SSH is in use here", "allow 443/tcp"});
  want.rules = {declared("reject", ""), declared("allow", "22")};
  CHECK(converge(want, {}, {"22"}).v4 ==
        Texts{"allow 22/tcp # kept open: SSH is in use here", "reject from any to any"});
  want.rules = {};
  want.incoming = "allow";
  CHECK(converge(want, {}, {"22"}).v4.empty());
}

TEST_CASE("two decisions about the same traffic are a contradiction") {
  Firewall want;
  want.rules = {declared("allow", "22"), declared("limit", "22")};
  CHECK(wanted_rules(want, {}, {}).error().code == "firewall.contradiction");
  want.rules = {declared("allow", "22"), declared("allow", "22", "any", "again")};
  CHECK(wanted_rules(want, {}, {})->size() == 1);
  want.rules = {declared("allow", "22", "0.0.0.0/0"), declared("deny", "22", "::/0")};
  CHECK(wanted_rules(want, {}, {})->size() == 2);
}

}  // namespace
}  // namespace sentinel
