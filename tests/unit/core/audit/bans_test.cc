// SPDX-License-Identifier: Apache-2.0
// fail2ban's jail, judged on recorded answers, each trap by its name.
#include <catch2/catch.hpp>

#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

json unit(const std::string& name) {
  return {{name, {{"load", "loaded"}, {"active", "active"}, {"file_state", "enabled"}}}};
}

const json kJail{{"maxretry", 3}, {"bantime_seconds", 86400}};

json fail2ban() {
  return {{"running", true},
          {"problem", ""},
          {"jail_conf", 25000},
          {"jail_local", nullptr},
          {"iptables", true},
          {"nft", false},
          {"sshd_process", "sshd"},
          {"ssh_unit", "ssh.service"},
          {"auth_log", false},
          {"jails", {"sshd"}},
          {"jail",
           {{"name", "sshd"},
            {"maxretry", 3},
            {"bantime", 86400},
            {"findtime", 600},
            {"journalmatch", {"_SYSTEMD_UNIT=sshd.service", "+", "_COMM=sshd"}},
            {"logpath", json::array()},
            {"failregex", {"^Failed \\S+ for .*"}},
            {"ports", {{"iptables-multiport", "ssh"}}},
            {"ignore", {"127.0.0.0/8", "::1"}},
            {"ignore_command", ""},
            {"actions", {"iptables-multiport"}}}},
          {"ssh_port", 22},
          {"at_boot",
           {{"enabled", true},
            {"maxretry", 3},
            {"bantime", 86400},
            {"findtime", 600},
            {"ignore", {"127.0.0.1/8"}},
            {"ignore_command", ""}}}};
}

Finding jail(const json& value) {
  return judged("fail2ban-sshd", kJail, record_of({{"fail2ban", value}, {"units", unit("fail2ban.service")}}));
}

[[maybe_unused]] const bool kPasses =
    passes("fail2ban-sshd", kJail, {{"fail2ban", fail2ban()}, {"units", unit("fail2ban.service")}});

}  // namespace

TEST_CASE("fail2ban: the compliant jail passes, each weaker one fails") {
  CHECK(jail(fail2ban()).verdict == Verdict::kPass);
  CHECK(jail(with_value(fail2ban(), "/jail/maxretry", 5)).verdict == Verdict::kFail);
  CHECK(jail(with_value(fail2ban(), "/jail/bantime", 600)).persistence == Persistence::kRuntimeOnly);
  CHECK(jail(with_value(fail2ban(), "/at_boot/bantime", 600)).persistence == Persistence::kBootOnly);
  CHECK(jail(with_value(fail2ban(), "/at_boot/enabled", false)).persistence == Persistence::kBootOnly);
  CHECK(jail(with_value(fail2ban(), "/jail/findtime", 1)).verdict == Verdict::kFail);
  for (const char* network : {"0.0.0.0/0", "0.0.0.0", "::", "0.0.0.0/1", "2000::/3"})
    CHECK(jail(with_value(fail2ban(), "/jail/ignore", {network})).persistence == Persistence::kRuntimeOnly);
  const auto everybody =
      with_value(with_value(fail2ban(), "/jail/ignore", {"0.0.0.0"}), "/at_boot/ignore", {"0.0.0.0/0"});
  CHECK(jail(everybody).persistence == Persistence::kBoth);
  CHECK(jail(with_value(fail2ban(), "/jail/ignore", {"10.0.0.0/8", "2001:db8::/32"})).verdict == Verdict::kPass);
  for (const char* unread : {"/jail/ignore", "/at_boot/ignore", "/at_boot/maxretry", "/at_boot/bantime"})
    CHECK(jail(with_value(fail2ban(), unread, nullptr)).verdict == Verdict::kUnknown);
  CHECK(jail(with_value(fail2ban(), "/at_boot/ignore", {"%(friends)s"})).verdict == Verdict::kUnknown);
  CHECK(jail(with_value(fail2ban(), "/jail/failregex", {"^never$"})).verdict == Verdict::kFail);
  CHECK(jail(with_value(fail2ban(), "/jail/ports", {{"iptables-multiport", "2222"}})).verdict == Verdict::kFail);
  CHECK(jail(with_value(fail2ban(), "/jail/bantime", -1)).verdict == Verdict::kPass);
  CHECK(jail(with_value(fail2ban(), "/jail/actions", json::array())).verdict == Verdict::kFail);
  CHECK(jail(with_value(fail2ban(), "/jail", nullptr)).verdict == Verdict::kFail);
}

TEST_CASE("fail2ban: a command that lets everybody off is a fault, any other a doubt") {
  const auto both = [](const std::string& command) {
    return jail(
        with_value(with_value(fail2ban(), "/jail/ignore_command", command), "/at_boot/ignore_command", command));
  };
  for (const char* command : {"true", "/bin/true", "/usr/bin/true <ip>", ":", " exit 0"}) {
    CAPTURE(command);
    CHECK(both(command).verdict == Verdict::kFail);
    CHECK(both(command).persistence == Persistence::kBoth);
  }
  CHECK(jail(with_value(fail2ban(), "/jail/ignore_command", "true")).persistence == Persistence::kRuntimeOnly);
  CHECK(jail(with_value(fail2ban(), "/at_boot/ignore_command", "/bin/true")).persistence == Persistence::kBootOnly);
  CHECK(both("/etc/fail2ban/filter.d/ignorecommands/ours <ip>").verdict == Verdict::kWarn);
  CHECK(both("/usr/local/bin/truer").verdict == Verdict::kWarn);
  for (const char* side : {"/jail/ignore_command", "/at_boot/ignore_command"}) {
    for (const json& garbled : {json(nullptr), json(false), json(1), json::array({"true"})})
      CHECK(jail(with_value(fail2ban(), side, garbled)).verdict == Verdict::kUnknown);
  }
}

TEST_CASE("traps of fail2ban: a copied jail.conf, no auth.log, sshd-session, no program to ban with") {
  CHECK(has_trap(jail(with_value(fail2ban(), "/jail_local", 25040)), "jail-conf-copied"));
  const auto twice = jail(
      with_value(with_value(fail2ban(), "/problem", "jail.local has the section [sshd] twice"), "/running", false));
  CHECK(twice.verdict == Verdict::kFail);
  CHECK(has_trap(twice, "jail-conf-copied"));
  CHECK(has_trap(jail(with_value(fail2ban(), "/running", false)), "fail2ban-no-auth-log"));
  const auto session = jail(with_value(fail2ban(), "/sshd_process", "sshd-session"));
  CHECK(session.verdict == Verdict::kFail);
  CHECK(has_trap(session, "fail2ban-sshd-session"));
  CHECK(has_trap(jail(with_value(fail2ban(), "/iptables", false)), "fail2ban-no-firewall-program"));
}

}  // namespace sentinel
