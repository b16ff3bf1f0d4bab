// SPDX-License-Identifier: Apache-2.0
// Snapshots of a firewall: what goes back, and what of others is left as it became in the meantime.
#include "core/resources/firewall_snapshot.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_ufw.h"

namespace sentinel {
namespace {

const std::vector<std::string>& rules_of(const FilterTable& table, const std::string& chain) {
  return table.find(chain)->rules;
}

TEST_CASE("files, policies and ufw's chains go back; nothing is written when nothing differs") {
  FakeSystem machine;
  put_ufw(machine);
  on_host(machine, "ufw allow 22/tcp");
  on_host(machine, "ufw --force enable");
  machine.put_file("/etc/ufw/ufw.conf", machine.bytes("/etc/ufw/ufw.conf"), {0, 4, 0600});
  const auto snapshot = capture_firewall(machine);
  REQUIRE(snapshot.ok());
  const auto before = machine.tree();
  machine.clear_records();
  REQUIRE(restore_firewall(*snapshot, machine).ok());
  CHECK(machine.mutations() == std::vector<std::string>{});

  on_host(machine, "ufw allow 443/tcp");
  on_host(machine, "ufw default reject incoming");
  on_host(machine, "ufw disable");
  on_host(machine, "iptables -N ufw-left-over");
  machine.put_file("/etc/ufw/ufw.conf", "ENABLED=maybe\n", {0, 0, 0644});
  machine.erase("/etc/ufw/user6.rules");
  REQUIRE(restore_firewall(*snapshot, machine).ok());
  CHECK(same_tree(machine.tree(), before));
}

TEST_CASE("a host whose firewall was never on has its tables empty again") {
  FakeSystem machine;
  put_ufw(machine);
  const auto snapshot = capture_firewall(machine);
  const auto before = machine.tree();
  on_host(machine, "ufw allow 22/tcp");
  on_host(machine, "ufw --force enable");
  REQUIRE(fake_table(machine, Family::kV4).find("INPUT")->policy == "DROP");
  REQUIRE(restore_firewall(*snapshot, machine).ok());
  CHECK(same_tree(machine.tree(), before));
}

TEST_CASE("rules of others stay as they are now, and ufw's hooks go back to their places among them") {
  FakeSystem machine;
  put_ufw(machine);
  on_host(machine, "ufw --force enable");
  on_host(machine, "iptables -N DOCKER-USER");
  on_host(machine, "iptables -I FORWARD -j DOCKER-USER");
  on_host(machine, "iptables -A INPUT -s 203.0.113.1 -j DROP");
  const auto snapshot = capture_firewall(machine);
  const auto hooked = fake_table(machine, Family::kV4);

  // Since then: fail2ban came, Docker changed its chain, and ufw lost its hooks.
  on_host(machine, "iptables -N f2b-sshd");
  on_host(machine, "iptables -I INPUT -p tcp -j f2b-sshd");
  on_host(machine, "iptables -A DOCKER-USER -j RETURN");
  on_host(machine, "iptables -D INPUT -j ufw-before-input");
  on_host(machine, "iptables -D FORWARD -j ufw-before-forward");
  REQUIRE(restore_firewall(*snapshot, machine).ok());
  const auto table = fake_table(machine, Family::kV4);
  auto expected = rules_of(hooked, "INPUT");
  expected.insert(expected.begin(), "-p tcp -j f2b-sshd");
  CHECK(rules_of(table, "INPUT") == expected);
  CHECK(rules_of(table, "FORWARD") == rules_of(hooked, "FORWARD"));
  CHECK(rules_of(table, "DOCKER-USER") == std::vector<std::string>{"-j RETURN"});
}

TEST_CASE("an accepting rule that was taken out comes back where it was") {
  FakeSystem machine;
  put_ufw(machine);
  on_host(machine, "ufw --force enable");
  on_host(machine, "iptables -I INPUT -p tcp --dport 9999 -j ACCEPT");
  const auto snapshot = capture_firewall(machine);
  const auto before = fake_table(machine, Family::kV4);
  on_host(machine, "iptables -D INPUT -p tcp --dport 9999 -j ACCEPT");
  REQUIRE(restore_firewall(*snapshot, machine).ok());
  CHECK(rules_of(fake_table(machine, Family::kV4), "INPUT") == rules_of(before, "INPUT"));
}

TEST_CASE("a chain of ufw's that others lead to is emptied but not removed") {
  FakeSystem machine;
  put_ufw(machine);
  on_host(machine, "iptables -N DOCKER-USER");
  const auto snapshot = capture_firewall(machine);
  on_host(machine, "ufw allow 22/tcp");
  on_host(machine, "ufw --force enable");
  on_host(machine, "iptables -A DOCKER-USER -j ufw-user-forward");
  REQUIRE(restore_firewall(*snapshot, machine).ok());
  const auto table = fake_table(machine, Family::kV4);
  CHECK(table.find("ufw-user-input") == nullptr);
  REQUIRE(table.find("ufw-user-forward") != nullptr);
  CHECK(table.find("ufw-user-forward")->rules.empty());
  CHECK(table.find("DOCKER-USER")->rules == std::vector<std::string>{"-j ufw-user-forward"});
}

TEST_CASE("kernel parameters that ufw sets go back") {
  FakeSystem machine;
  put_ufw(machine);
  machine.put_file(
      "/etc/ufw/sysctl.conf",
      "# no\nnet/ipv4/conf/all/log_martians=0\nnet.ipv4.conf.all.accept_redirects=0\nnet/none=1\n../etc/passwd=1\n");
  machine.put_file("/proc/sys/net/ipv4/conf/all/log_martians", "1\n");
  machine.put_file("/proc/sys/net/ipv4/conf/all/accept_redirects", "0\n");
  const auto snapshot = capture_firewall(machine);
  machine.put_file("/proc/sys/net/ipv4/conf/all/log_martians", "0\n");
  REQUIRE(restore_firewall(*snapshot, machine).ok());
  CHECK(machine.bytes("/proc/sys/net/ipv4/conf/all/log_martians") == "1\n");
  CHECK(machine.bytes("/proc/sys/net/ipv4/conf/all/accept_redirects") == "0\n");
}

TEST_CASE("the files alone run no program") {
  FakeSystem machine;
  put_ufw(machine);
  const auto snapshot = capture_firewall(machine);
  on_host(machine, "ufw --force enable");
  machine.clear_records();
  REQUIRE(restore_firewall_files(*snapshot, machine).ok());
  CHECK(machine.commands().empty());
  CHECK(machine.bytes("/etc/ufw/ufw.conf").find("ENABLED=no") != std::string::npos);
}

TEST_CASE("both families are tried when one fails, and the failure is told") {
  FakeSystem machine;
  put_ufw(machine);
  on_host(machine, "ufw --force enable");
  const auto snapshot = capture_firewall(machine);
  on_host(machine, "iptables -P INPUT ACCEPT");
  on_host(machine, "ip6tables -P INPUT ACCEPT");
  machine.on({"iptables-restore"}, CommandResult{4, "", "Another app is currently holding the xtables lock"});
  const auto restored = restore_firewall(*snapshot, machine);
  REQUIRE_FALSE(restored.ok());
  CHECK(restored.error().code == "firewall.not-restored");
  CHECK(restored.error().message.find("xtables lock") != std::string::npos);
  CHECK(fake_table(machine, Family::kV6).find("INPUT")->policy == "DROP");
}

TEST_CASE("a snapshot that can't be read is refused") {
  FakeSystem machine;
  CHECK(restore_firewall("{", machine).error().code == "json.syntax");
  CHECK(restore_firewall("{\"files\": []}", machine).error().code == "json.shape");
}

}  // namespace
}  // namespace sentinel
