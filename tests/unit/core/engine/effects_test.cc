// SPDX-License-Identifier: Apache-2.0
// Effects are merged, ordered, dropped when a start paid them; and the operator's own address is kept from being
// banned.
#include "core/engine/effects.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "core/engine/operator_access.h"
#include "tests/support/fake_system.h"
#include "tests/unit/core/engine/support.h"

namespace sentinel {
namespace {

const Effect kDaemonReload{Effect::Kind::kDaemonReload, ""};
const Effect kReloadX{Effect::Kind::kReload, "x.service"};
const Effect kRestartX{Effect::Kind::kRestart, "x.service"};
const Effect kReloadY{Effect::Kind::kReload, "y.service"};

}  // namespace

TEST_CASE("a reload is dropped when the unit is restarted anyway; daemon-reload comes first") {
  EffectLedger ledger;
  ledger.owe({kReloadY, kReloadX});
  ledger.owe({kRestartX, kDaemonReload, kReloadX});
  CHECK(ledger.owed() == std::vector<Effect>{kDaemonReload, kRestartX, kReloadY});
  for (const auto& effect : ledger.owed()) ledger.paid(effect);
  CHECK(ledger.owed().empty());
}

TEST_CASE("starting a unit pays what it owed; stopping or enabling it doesn't") {
  EffectLedger ledger;
  ledger.owe({kReloadX, kRestartX, kReloadY});
  ledger.note_action(RunCommand{{"systemctl", "enable", "x.service"}});
  ledger.note_action(RunCommand{{"systemctl", "stop", "x.service"}});
  CHECK(ledger.owed().size() == 2);
  ledger.note_action(RunCommand{{"systemctl", "start", "x.service"}});
  CHECK(ledger.owed() == std::vector<Effect>{kReloadY});
  ledger.note_action(RunCommand{{"systemctl", "enable", "--now", "y.service"}});
  CHECK(ledger.owed().empty());
}

TEST_CASE("paying leaves a stopped unit stopped, and a missing one is an error only on the way forward") {
  FakeSystem machine;
  ManualClock clock;
  machine.on({"systemctl"}, CommandResult{0, "", ""});
  REQUIRE(pay(kReloadX, machine, clock).ok());
  REQUIRE(pay(kRestartX, machine, clock).ok());
  REQUIRE(pay(kDaemonReload, machine, clock).ok());
  CHECK(machine.commands() == std::vector<std::string>{"systemctl try-reload-or-restart x.service",
                                                       "systemctl try-restart x.service", "systemctl daemon-reload"});
  machine.on({"systemctl"}, CommandResult{5, "", "Unit x.service not found."});
  CHECK(pay(kRestartX, machine, clock).error().code == "effect.failed");
  CHECK(pay(kRestartX, machine, clock, MissingUnit::kIsFine).ok());
  machine.on({"systemctl"}, CommandResult{1, "", "Job failed."});
  CHECK(pay(kRestartX, machine, clock, MissingUnit::kIsFine).error().message.find("Job failed.") != std::string::npos);
  machine.on({"systemctl", "show"}, CommandResult{0, "StatusText=port in use\n", ""});
  CHECK(pay(kReloadX, machine, clock).error().message.ends_with("Job failed. (port in use)"));
}

namespace {

/// systemctl doesn't come back from a reload of x.service. What systemd says of it: `states`, one a look.
struct EndlessReload {
  FakeSystem machine;
  ManualClock clock;
  std::vector<std::string> states;

  explicit EndlessReload(std::vector<std::string> told) : states(std::move(told)) {
    machine.hang({"systemctl", "try-reload-or-restart"});
    machine.on({"systemd-notify"}, CommandResult{});
    machine.on({"systemctl", "show"}, [this](FakeSystem&, const CommandLine& command) {
      if (command.argv[2] == "--property=StatusText") return CommandResult{0, "StatusText=\n", ""};
      const auto state = states.front();
      if (states.size() > 1) states.erase(states.begin());
      return CommandResult{0, "MainPID=7\n" + state, ""};
    });
  }

  /// What is said of the failure; empty: there is none.
  std::string pays() {
    const auto paid = pay(kReloadX, machine, clock);
    return paid.ok() ? std::string() : paid.error().message;
  }

  bool was_ended() const {
    const auto& all = machine.commands();
    return std::find(all.begin(), all.end(), "systemd-notify --pid=7 --ready") != all.end();
  }
};

const std::string kRuns = "ActiveState=reloading\nJob=3\nControlPID=9\nReloadResult=success\n";

}  // namespace

TEST_CASE("a reload that its service never says the end of fails once its command has, and is over then") {
  EndlessReload reload({kRuns, "ActiveState=reloading\nJob=3\nControlPID=0\nReloadResult=exit-code\n"});
  CHECK(reload.pays() == "reload x.service failed with exit-code: the service never said that it is over");
  CHECK(reload.was_ended());
  CHECK(reload.clock.since_boot() < ManualClock().since_boot() + std::chrono::seconds(1));
}

TEST_CASE("a reload that takes its time is waited for, though not for ever") {
  const auto [last, failure] = GENERATE(table<std::string, std::string>(
      {{"ActiveState=active\nJob=0\nControlPID=0\nReloadResult=success\n", ""},
       {"ActiveState=active\nJob=0\nControlPID=0\nReloadResult=timeout\n", "timeout"},
       {"ActiveState=activating\nJob=0\nControlPID=0\nResult=signal\nReloadResult=success\n", "signal"},
       {"ActiveState=failed\nJob=0\nControlPID=0\nResult=exit-code\nReloadResult=success\n", "exit-code"},
       // A command that goes on is its own affair; a service that only says nothing is told to be done.
       {kRuns, "timeout"},
       {"ActiveState=reloading\nJob=3\nControlPID=0\nReloadResult=success\n",
        "timeout: the service never said that it is over"}}));
  EndlessReload reload({kRuns, last});
  CHECK(reload.pays() == (failure.empty() ? "" : "reload x.service failed with " + failure));
  CHECK(reload.was_ended() == failure.ends_with("over"));
}

TEST_CASE("the operator's address is ignored by every jail that doesn't yet, and taken off again by a timer") {
  FakeSystem machine;
  RecordingSink events;
  machine.put_file("/var/run/fail2ban/fail2ban.sock", "");
  machine.on({"fail2ban-client"}, CommandResult{0, "", ""});
  machine.on({"fail2ban-client", "status"},
             CommandResult{0, "Status\n|- Number of jail:\t2\n`- Jail list:\trecidive, sshd\n", ""});
  machine.on({"fail2ban-client", "get", "recidive"},
             CommandResult{0, "These IP addresses/networks are ignored:\n|- 127.0.0.0/8\n`- 203.0.113.9\n", ""});
  machine.on({"fail2ban-client", "get", "sshd"},
             CommandResult{0, "These IP addresses/networks are ignored:\n`- 203.0.113.99\n", ""});
  machine.on({"systemd-run"}, CommandResult{0, "", ""});
  OperatorAccess access(machine, events, "203.0.113.9", kTestTransaction);
  access.protect();
  access.unban();
  access.release_later();
  const auto& commands = machine.commands();
  const auto ran = [&](const std::string& command) { return std::count(commands.begin(), commands.end(), command); };
  CHECK(ran("fail2ban-client set sshd addignoreip 203.0.113.9") == 1);
  CHECK(ran("fail2ban-client set recidive addignoreip 203.0.113.9") == 0);
  CHECK(ran("fail2ban-client unban 203.0.113.9") == 1);
  CHECK(commands.back() ==
        "systemd-run --quiet --collect --on-active=10m --unit=sentinel-unignore-0123456789ab-0 "
        "fail2ban-client set sshd delignoreip 203.0.113.9");
  CHECK(events.events.empty());
}

TEST_CASE("without fail2ban, or without a known address, nothing is asked of it") {
  FakeSystem machine;
  RecordingSink events;
  OperatorAccess absent(machine, events, "203.0.113.9", kTestTransaction);
  absent.protect();
  absent.unban();
  machine.put_file("/var/run/fail2ban/fail2ban.sock", "");
  OperatorAccess unknown(machine, events, "", kTestTransaction);
  unknown.protect();
  unknown.unban();
  unknown.release_later();
  CHECK(machine.commands().empty());
  CHECK(OperatorAccess::is_forgotten_after(Action(RunCommand{{"systemctl", "restart", "fail2ban.service"}})));
  CHECK(OperatorAccess::is_forgotten_after(Effect{Effect::Kind::kReload, "fail2ban.service"}));
  CHECK_FALSE(OperatorAccess::is_forgotten_after(Action(RunCommand{{"systemctl", "start", "caddy.service"}})));
}

}  // namespace sentinel
