// SPDX-License-Identifier: Apache-2.0
// One transaction from beginning to end, and each way it can end otherwise.
#include <algorithm>
#include <optional>

#include <catch2/catch.hpp>

#include "core/engine/history.h"
#include "core/model/json.h"
#include "tests/unit/core/engine/session.h"

namespace sentinel {

TEST_CASE("a whole request is applied, proved and committed, and a second run finds nothing to do") {
  Furnished f;
  const auto planned = look_at(f.machine, f.request);
  CHECK(planned.plan.steps.size() == f.request.resources.size() + 1);
  const auto outcome = f.session.run(f.machine, f.request, kTestTransaction, planned.plan.observed);
  INFO(all_texts(outcome));
  REQUIRE(outcome.outcome == "changed");
  CHECK(outcome.exit == ExitCode::kDone);
  CHECK(outcome.generation == 1);
  std::vector<std::string> shown;
  for (const auto& step : planned.plan.steps) shown.push_back(step.id);
  CHECK(outcome.changed == shown);
  CHECK(look_at(f.machine, f.request).plan.steps.empty());
  CHECK(f.session.control.waits.empty());
  CHECK(is_running(f.machine, "app.service"));
  CHECK(f.machine.status("/usr/sbin/policy-rc.d")->type == FileType::kAbsent);
  const auto token = f.machine.bytes("/var/lib/sentinel/secrets/TOKEN");
  CHECK(f.machine.bytes("/etc/app/app.conf") == "token=" + token + "\n");
  REQUIRE(f.session.events.events.back().type == Event::Type::kResult);
  CHECK(f.session.events.events.back().outcome == "changed");

  const auto before = managed_tree(f.machine);
  f.machine.clear_records();
  const auto again = f.session.run(f.machine, f.request, transaction_number(2));
  CHECK(again.outcome == "unchanged");
  CHECK(again.generation == 1);
  CHECK(same_tree(before, managed_tree(f.machine)));
  CHECK(f.machine.mutations().empty());
}

TEST_CASE("all packages of a plan come in one apt run, under a policy that forbids starts") {
  Furnished f;
  REQUIRE(f.session.run(f.machine, f.request).outcome == "changed");
  int installs = 0;
  for (const auto& command : f.machine.commands()) {
    if (command.find("apt-get") != std::string::npos && command.find(" install ") != std::string::npos) {
      ++installs;
      CHECK(command.ends_with(" install caddy redis"));
    }
  }
  CHECK(installs == 1);
  CHECK_FALSE(is_running(f.machine, "redis.service"));
  const auto& order = f.machine.mutations();
  const auto policy = std::find(order.begin(), order.end(), "replace /usr/sbin/policy-rc.d");
  const auto back = std::find(order.begin(), order.end(), "remove /usr/sbin/policy-rc.d");
  CHECK(policy < back);
}

TEST_CASE("effects are paid once: daemon-reload before the unit starts, no restart of what was started afterwards") {
  Furnished f;
  REQUIRE(f.session.run(f.machine, f.request).outcome == "changed");
  const auto count = [&](const std::string& command) {
    return std::count(f.machine.commands().begin(), f.machine.commands().end(), command);
  };
  CHECK(count("systemctl daemon-reload") == 1);
  CHECK(count("systemctl try-restart app.service") == 0);
  CHECK(count("systemctl try-reload-or-restart caddy.service") == 0);
  const auto at = [&](const std::string& command) {
    return std::find(f.machine.commands().begin(), f.machine.commands().end(), command);
  };
  CHECK(at("systemctl daemon-reload") < at("systemctl start app.service"));
  f.request.resources[2].body =
      File{"/etc/app/app.conf", store_content(f.machine, Content("other\n")), "root", "root", 0640};
  f.machine.clear_records();
  REQUIRE(f.session.run(f.machine, f.request, transaction_number(2)).outcome == "changed");
  CHECK(count("systemctl try-restart app.service") == 1);
  CHECK(count("systemctl try-reload-or-restart app.service") == 0);
}

TEST_CASE("a plan that no longer fits the host is refused and nothing is touched") {
  Furnished f;
  const auto planned = look_at(f.machine, f.request);
  f.machine.put_file("/etc/motd", "somebody else\n");
  const auto before = managed_tree(f.machine);
  const auto outcome = f.session.run(f.machine, f.request, kTestTransaction, planned.plan.observed);
  CHECK(outcome.outcome == "failed");
  CHECK(outcome.exit == ExitCode::kStalePlan);
  CHECK(outcome.errors.at(0).code == "plan.stale");
  CHECK(same_tree(before, managed_tree(f.machine)));
  CHECK(f.machine.status(StateDirectory{}.log(kTestTransaction))->type == FileType::kAbsent);
}

TEST_CASE("a plan can't be applied twice, and a transaction id can't be used twice") {
  Furnished f;
  const auto planned = look_at(f.machine, f.request);
  REQUIRE(f.session.run(f.machine, f.request, kTestTransaction, planned.plan.observed).outcome == "changed");
  CHECK(f.session.run(f.machine, f.request, transaction_number(2), planned.plan.observed).errors.at(0).code ==
        "plan.stale");
  f.machine.put_file("/etc/motd", "drifted\n");
  CHECK(f.session.run(f.machine, f.request).errors.at(0).code == "journal.known-transaction");
}

TEST_CASE("contents that are not on the host are named before anything is done") {
  Furnished f;
  f.request.resources.push_back(
      {"web/x", "x", File{"/etc/x", reference_to(Content("never sent")), "root", "root", 0644}, {}, ""});
  const auto outcome = f.session.run(f.machine, f.request);
  CHECK(outcome.errors.at(0).code == "plan.missing-contents");
  CHECK(f.machine.bytes("/etc/motd") == "welcome\n");
}

TEST_CASE("an abort before the first change does nothing, an abort later reverts") {
  Furnished f;
  const auto before = managed_tree(f.machine);
  f.session.control.abort = [] { return true; };
  const auto early = f.session.run(f.machine, f.request);
  CHECK(early.outcome == "failed");
  CHECK(early.exit == ExitCode::kInterrupted);
  CHECK(same_tree(before, managed_tree(f.machine)));

  f.session.control.abort = [&] { return f.session.events.texts(Event::Type::kStepStarted).size() >= 5; };
  const auto late = f.session.run(f.machine, f.request, transaction_number(2));
  INFO(all_texts(late));
  CHECK(late.outcome == "reverted");
  CHECK(late.exit == ExitCode::kInterrupted);
  CHECK(same_tree(before, managed_tree(f.machine)));
}

TEST_CASE("a step that fails reverts everything before it") {
  Furnished f;
  const auto before = managed_tree(f.machine);
  f.machine.on({"systemctl", "start", "caddy.service"}, CommandResult{1, "", "Job for caddy.service failed.\n"});
  const auto outcome = f.session.run(f.machine, f.request);
  INFO(all_texts(outcome));
  CHECK(outcome.outcome == "reverted");
  CHECK(outcome.exit == ExitCode::kFailed);
  CHECK(outcome.errors.at(0).message.find("Job for caddy.service failed") != std::string::npos);
  CHECK(same_tree(before, managed_tree(f.machine)));
  HostState host(f.machine);
  CHECK(host.generations.current().value() == 0);
  const auto past = history(host);
  REQUIRE(past.ok());
  REQUIRE(past->size() == 1);
  CHECK(past->front().entry.outcome == "reverted");
}

TEST_CASE("what programs wrote is on the disk before the journal says that everything is done, or undone") {
  Furnished f;
  const auto log = "append " + StateDirectory{}.log(kTestTransaction);
  const auto sync_is_followed_by_the_log = [&] {
    const auto& order = f.machine.mutations();
    const auto sync = std::find(order.begin(), order.end(), "run sync");
    REQUIRE(sync != order.end());
    const auto is_log = [&](const std::string& mutation) { return mutation == log; };
    const auto next_log = std::find_if(sync, order.end(), is_log);
    REQUIRE(next_log != order.end());
    CHECK(std::none_of(std::next(sync), next_log, [](const auto& mutation) { return mutation.starts_with("run "); }));
    return std::count_if(next_log, order.end(), is_log);
  };
  SECTION("done: the records commit and closed come after it") {
    REQUIRE(f.session.run(f.machine, f.request).outcome == "changed");
    CHECK(sync_is_followed_by_the_log() == 2);
  }
  SECTION("undone: the records revert-end and closed come after it") {
    f.machine.on({"systemctl", "start", "caddy.service"}, CommandResult{1, "", "failed\n"});
    REQUIRE(f.session.run(f.machine, f.request).outcome == "reverted");
    CHECK(sync_is_followed_by_the_log() == 2);
  }
  SECTION("a sync that fails takes everything back, and what was put back is not called so") {
    f.machine.on({"sync"}, CommandResult{1, "", "error syncing: Input/output error\n"});
    const auto outcome = f.session.run(f.machine, f.request);
    CHECK(outcome.outcome == "stuck");
    CHECK(outcome.errors.at(0).code == "engine.not-durable");
  }
}

TEST_CASE("a directory that was made is kept when somebody else's files are in it by the time of the revert") {
  Furnished f;
  f.machine.on({"make-marker"}, [](FakeSystem& fake, const CommandLine&) {
    fake.put_file("/etc/app/not-ours", "precious\n");
    return CommandResult{1, "", "failed\n"};
  });
  const auto outcome = f.session.run(f.machine, f.request);
  INFO(all_texts(outcome));
  CHECK(outcome.outcome == "reverted");
  CHECK(f.machine.bytes("/etc/app/not-ours") == "precious\n");
  CHECK(f.machine.tree().count("/etc/app/app.conf") == 0);
  const auto warnings = f.session.events.texts(Event::Type::kWarning);
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0] == "/etc/app was not there before and is kept: it holds not-ours");
}

TEST_CASE("a step that claims success without effect is found by planning again") {
  Furnished f;
  const auto before = managed_tree(f.machine);
  f.machine.on({"make-marker"}, CommandResult{0, "", ""});
  const auto outcome = f.session.run(f.machine, f.request);
  CHECK(outcome.outcome == "reverted");
  CHECK(outcome.errors.at(0).code == "engine.not-converged");
  CHECK(outcome.errors.at(0).message.find("web/marker") != std::string::npos);
  CHECK(same_tree(before, managed_tree(f.machine)));
}

TEST_CASE("what can't be put back is named and ends with exit 7") {
  Furnished f;
  f.machine.on({"systemctl", "start", "caddy.service"}, CommandResult{1, "", "failed\n"});
  f.machine.on({"remove-marker"}, CommandResult{1, "", "cannot\n"});
  std::swap(f.request.resources[11], f.request.resources[13]);  // the marker before the failing service
  const auto outcome = f.session.run(f.machine, f.request);
  CHECK(outcome.outcome == "stuck");
  CHECK(outcome.exit == ExitCode::kStuck);
  REQUIRE(outcome.errors.size() >= 2);
  CHECK(outcome.errors.at(1).code == "engine.stuck");
  CHECK(outcome.errors.at(1).message.find("web/marker") != std::string::npos);
  CHECK(outcome.errors.at(1).message.find("web/motd") == std::string::npos);
  CHECK(f.machine.bytes("/etc/motd") == "welcome\n");
}

TEST_CASE("a risky step arms the guard, and the transaction waits for a confirmation") {
  Furnished f;
  f.request.resources.push_back(risky_resource(f.machine));
  f.request.confirm_timeout_seconds = 45;
  using Answer = Control::Answer;
  const auto extended = f.session.clock.since_boot() + std::chrono::seconds(100);
  f.session.control.replies = {{Answer::kExtended, "", extended}, {Answer::kConfirmed, "deploy", {}}};
  const auto outcome = f.session.run(f.machine, f.request);
  INFO(all_texts(outcome));
  CHECK(outcome.outcome == "changed");
  REQUIRE(f.session.control.waits.size() == 2);
  CHECK(f.session.control.waits[0].deadline - f.session.control.waits[0].activated == std::chrono::seconds(45));
  CHECK(f.session.control.waits[1].deadline == extended);
  CHECK(f.session.events.texts(Event::Type::kGuardArmed).size() == 1);
  CHECK(f.session.events.texts(Event::Type::kAwaitConfirm).size() == 2);
  CHECK(f.session.events.texts(Event::Type::kConfirmed) == std::vector<std::string>{"deploy"});
}

// The kernel rounds it down to 10 ms, so the earliest session that answers the call has to begin that much later.
TEST_CASE("whoever answers the call for a confirmation began after the change, also by the kernel's coarse word") {
  Furnished f;
  f.request.resources.push_back(risky_resource(f.machine));
  std::optional<std::chrono::nanoseconds> called;
  f.session.events.on_event = [&](const Event& event) {
    if (event.type == Event::Type::kAwaitConfirm && !called) called = f.session.clock.since_boot();
  };
  CHECK(f.session.run(f.machine, f.request).outcome == "changed");
  REQUIRE(f.session.control.waits.size() == 1);
  REQUIRE(called);
  CHECK(*called - f.session.control.waits[0].activated >= std::chrono::milliseconds(10));
}

TEST_CASE("an abort that arrives during the last look reverts, though every step is done") {
  Furnished f;
  const auto before = managed_tree(f.machine);
  f.session.control.abort = [&] { return f.session.events.texts(Event::Type::kPhase).back() == "prove"; };
  const auto outcome = f.session.run(f.machine, f.request);
  CHECK(outcome.outcome == "reverted");
  CHECK(outcome.exit == ExitCode::kInterrupted);
  CHECK(same_tree(before, managed_tree(f.machine)));
}

TEST_CASE("without a confirmation everything goes back") {
  for (const auto answer : {Control::Answer::kExpired, Control::Answer::kAborted}) {
    Furnished f;
    f.request.resources.push_back(risky_resource(f.machine));
    const auto before = managed_tree(f.machine);
    f.session.control.replies = {{answer, "", {}}};
    const auto outcome = f.session.run(f.machine, f.request);
    CHECK(outcome.outcome == "reverted");
    CHECK(outcome.exit == (answer == Control::Answer::kAborted ? ExitCode::kInterrupted : ExitCode::kFailed));
    CHECK(same_tree(before, managed_tree(f.machine)));
  }
}

TEST_CASE("the operator's address is put on fail2ban's list again after its restart, and unbanned by a revert") {
  Furnished f;
  f.machine.put_file("/var/run/fail2ban/fail2ban.sock", "");
  f.machine.put_file("/lib/systemd/system/fail2ban.service", "[Service]\n");
  f.machine.on({"fail2ban-client"}, CommandResult{0, "", ""});
  f.machine.on({"fail2ban-client", "status"}, CommandResult{0, "`- Jail list:\tsshd\n", ""});
  f.request.resources[3].notify = {{Effect::Kind::kRestart, "fail2ban.service"}};
  f.session.control.replies = {{Control::Answer::kExpired, "", {}}};
  CHECK(f.session.run(f.machine, f.request).outcome == "reverted");
  const auto& commands = f.machine.commands();
  const auto count = [&](const std::string& command) { return std::count(commands.begin(), commands.end(), command); };
  // At the beginning, after the restart, and after the restart that the revert owes.
  CHECK(count("fail2ban-client set sshd addignoreip 203.0.113.9") == 3);
  CHECK(count("fail2ban-client unban 203.0.113.9") == 1);
}

TEST_CASE("dpkg's lock is waited for, with the reason told, and given up after a while") {
  Furnished f;
  f.session.lock = LockHolder{812, "unattended-upgr"};
  f.session.clock.pass(std::chrono::seconds(1));
  const auto before = managed_tree(f.machine);
  const auto outcome = f.session.run(f.machine, f.request);
  CHECK(outcome.outcome == "reverted");  // the purge of the undo gives up as well, and there is nothing to purge
  CHECK(f.session.events.texts(Event::Type::kWaiting).front() == "dpkg's lock is held by unattended-upgr (pid 812)");
  CHECK(outcome.errors.at(0).code == "packages.locked");
}

TEST_CASE("a new transaction is refused while another one is unfinished") {
  Furnished f;
  HostState host(f.machine);
  REQUIRE(host.directory.prepare(f.machine).ok());
  auto writer = journal::Writer::create(f.machine, host.directory, transaction_number(7));
  journal::Begin begin;
  begin.transaction = transaction_number(7);
  REQUIRE(writer->append(begin).ok());
  CHECK(f.session.run(f.machine, f.request).errors.at(0).code == "engine.unfinished");
  f.machine.put_file(host.directory.log(transaction_number(7)), "rubbish rubbish rubbish\n");
  const auto outcome = f.session.run(f.machine, f.request);
  CHECK(outcome.errors.at(0).code == "journal.corrupt");
  CHECK(outcome.exit == ExitCode::kStuck);
}

TEST_CASE("no secret's value is in events, journal, generations or blobs' names") {
  Furnished f;
  f.request.secrets.push_back({"GIVEN", false, "hex", 32});
  Content content("password=");
  content.append(Hole{"GIVEN", {"shell"}});
  f.request.resources.push_back(
      {"web/pw", "pw", File{"/etc/pw", store_content(f.machine, content), "root", "root", 0600}, {}, ""});
  const std::string value = "x'$(planted)\"%n\\{}";
  REQUIRE(f.session.run(f.machine, f.request, kTestTransaction, "", {{"GIVEN", Secret(value)}}).outcome == "changed");
  f.request.resources.pop_back();
  f.request.resources.push_back(
      {"web/pw", "pw", File{"/etc/pw", store_content(f.machine, Content("plain\n")), "root", "root", 0600}, {}, ""});
  REQUIRE(f.session.run(f.machine, f.request, transaction_number(2)).outcome == "changed");
  for (const auto& event : f.session.events.events) CHECK(to_text(event).find("planted") == std::string::npos);
  for (const auto& [path, node] : f.machine.tree()) {
    const bool may_hold =
        path.starts_with("/var/lib/sentinel/secrets/") || path.starts_with("/var/lib/sentinel/blobs/hmac:");
    if (may_hold) continue;
    INFO(path);
    CHECK(node.bytes.find("planted") == std::string::npos);
    CHECK(node.bytes.find(sha256_hex(value)) == std::string::npos);
  }
}

}  // namespace sentinel
