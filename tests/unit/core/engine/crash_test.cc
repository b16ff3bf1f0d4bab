// SPDX-License-Identifier: Apache-2.0
// Fail and die at the k-th mutation, for every k, journal and blobs included; then recover, dying inside the recovery
// too. Whatever happened, the managed state is exactly the old or exactly the new one, and what the host says about it
// is true.
#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/support/faulty_system.h"
#include "tests/unit/core/engine/session.h"

namespace sentinel {
namespace {

struct Case {
  FakeSystem machine;
  Request request;
  std::map<std::string, nlohmann::json> before;
  std::map<std::string, FakeSystem::Node> tree_before;  // without Sentinel's own

  Case() {
    furnish(machine);
    machine.put_file("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 104\n", {0, 0, 0755});  // an administrator's own
    request = realistic_request(machine);
    request.resources.push_back(risky_resource(machine));
    before = look_at(machine, request).states;
    tree_before = managed_tree(machine);
  }
};

/// Dies at the `at`-th mutation of a recovery; false when the recovery came to its end before.
bool die_in_recovery(Session& session, FakeSystem& machine, std::uint64_t at, bool files_only) {
  FaultySystem faulty(machine, at % 2 == 0 ? Fault::kDieBefore : Fault::kDieAfter, at);
  try {
    (void)session.recover(faulty, files_only);
  } catch (const Died&) {
    return true;
  }
  return false;
}

using Tree = std::map<std::string, FakeSystem::Node>;

/// Paths that one tree has and the other hasn't, or has otherwise.
std::string difference(const Tree& before, const Tree& now) {
  std::string out;
  for (const auto& [path, node] : before) {
    const auto found = now.find(path);
    if (found == now.end() || !found->second.same_as(node)) out += "-" + path + " ";
  }
  for (const auto& [path, node] : now) {
    const auto found = before.find(path);
    if (found == before.end() || !found->second.same_as(node)) out += "+" + path + " ";
  }
  return out;
}

void check_all_or_nothing(Case& c) {
  HostState host(c.machine);
  const auto open = journal::open_transactions(c.machine, host.directory);
  REQUIRE(open.ok());
  REQUIRE(open->transactions.empty());
  REQUIRE(open->damaged.empty());
  const auto now = look_at(c.machine, c.request);
  const auto generation = host.generations.current();
  REQUIRE(generation.ok());
  const auto audit = host.audit.read();
  REQUIRE(audit.ok());
  if (*generation == 1) {
    std::string left;
    for (const auto& step : now.plan.steps) left += step.id + " ";
    INFO("new, but: " << left);
    REQUIRE(now.plan.steps.empty());
    REQUIRE(audit->back().outcome == "changed");
  } else {
    for (const auto& [id, state] : c.before) {
      INFO("old, but for " << id << ": " << now.states.at(id).dump());
      REQUIRE(lasting(now.states.at(id)) == lasting(state));
    }
    INFO(difference(c.tree_before, managed_tree(c.machine)));
    REQUIRE(same_tree(c.tree_before, managed_tree(c.machine)));
    REQUIRE((audit->empty() || audit->back().outcome == "reverted"));
  }
  REQUIRE(c.machine.status(host.directory.staged())->type == FileType::kAbsent);
}

/// Runs with one fault; false when the run was over before it struck.
bool run_with(Case& c, Session& session, Fault fault, std::uint64_t at) {
  FaultySystem faulty(c.machine, fault, at);
  try {
    const auto outcome = session.run(faulty, c.request);
    // What it says is what is: nothing is left to recover unless it said that it is stuck.
    if (outcome.outcome == "changed") {
      REQUIRE(look_at(c.machine, c.request).plan.steps.empty());
    } else if (outcome.outcome != "stuck") {
      REQUIRE(same_tree(c.tree_before, managed_tree(c.machine)));
    }
  } catch (const Died&) {
    REQUIRE((fault == Fault::kDieBefore || fault == Fault::kDieAfter));
  }
  return faulty.struck();
}

}  // namespace

TEST_CASE("a fault at any mutation leaves the old state or the new one") {
  for (const auto fault :
       {Fault::kFailOnce, Fault::kFailAfterDoing, Fault::kFailForever, Fault::kDieBefore, Fault::kDieAfter}) {
    std::uint64_t at = 1;
    for (bool struck = true; struck; ++at) {
      INFO("fault " << static_cast<int>(fault) << " at mutation " << at);
      Case c;
      Session session;
      struck = run_with(c, session, fault, at);
      const auto recovered = session.recover(c.machine);
      REQUIRE(recovered.ok());
      for (const auto& recovery : *recovered) REQUIRE(recovery.outcome != "stuck");
      check_all_or_nothing(c);
    }
    REQUIRE(at > 60);  // the list is long enough to mean something
  }
}

TEST_CASE("a death at any mutation, and deaths in the recoveries after it, leave the old state or the new one") {
  std::uint64_t at = 1;
  for (bool struck = true; struck; ++at) {
    Case c;
    Session session;
    struck = run_with(c, session, at % 2 == 0 ? Fault::kDieBefore : Fault::kDieAfter, at);
    INFO("died at mutation " << at);
    std::uint64_t in_recovery = 1 + at % 5;
    while (die_in_recovery(session, c.machine, in_recovery, false)) in_recovery += 3 + at % 4;
    REQUIRE(session.recover(c.machine).ok());
    check_all_or_nothing(c);
  }
}

TEST_CASE("after a reboot files are put back early without any program, and the rest later") {
  std::uint64_t at = 1;
  for (bool struck = true; struck; ++at) {
    Case c;
    Session session;
    struck = run_with(c, session, at % 2 == 0 ? Fault::kDieBefore : Fault::kDieAfter, at);
    INFO("died at mutation " << at);
    (void)die_in_recovery(session, c.machine, 1 + at % 7, true);
    c.machine.clear_records();
    const auto early = session.recover(c.machine, true);
    REQUIRE(early.ok());
    REQUIRE(c.machine.commands().empty());
    const bool committed = !early->empty() && early->front().outcome == "changed";
    if (!early->empty() && !committed) {
      REQUIRE(c.machine.bytes("/etc/motd") == "welcome\n");
      REQUIRE(c.machine.tree().count("/etc/ssh/banner") == 0);
    }
    REQUIRE(session.recover(c.machine).ok());
    check_all_or_nothing(c);
  }
}

TEST_CASE("what was half-written when the process died is taken away, and nobody else's file with it") {
  Case c;
  Session session;
  REQUIRE(run_with(c, session, Fault::kDieAfter, 60));
  REQUIRE(c.machine.tree().count("/etc/app/app.conf") == 1);
  const std::string tail = ".0123456789ab.tmp";
  const std::vector<std::string> ours{"/etc/.motd" + tail, "/etc/app/.app.conf" + tail,
                                      "/var/lib/sentinel/.host.key" + tail, "/var/lib/sentinel/blobs/.00" + tail,
                                      "/run/sentinel/staged/etc/motd"};
  for (const auto& path : ours) c.machine.put_file(path, "half");
  const std::vector<std::string> theirs{"/etc/.motd.swp", "/etc/.hosts" + tail, "/etc/.motd.0123456789xy.tmp"};
  for (const auto& path : theirs) {
    c.machine.put_file(path, "kept");
    c.tree_before[path] = c.machine.tree().at(path);
  }
  REQUIRE(session.recover(c.machine).ok());
  for (const auto& path : ours) {
    INFO(path);
    CHECK(c.machine.tree().count(path) == 0);
  }
  check_all_or_nothing(c);
}

TEST_CASE("a damaged journal is left alone and named, and nothing is touched") {
  Case c;
  Session session;
  REQUIRE(run_with(c, session, Fault::kDieAfter, 60));
  const auto path = StateDirectory{}.log(kTestTransaction);
  auto bytes = c.machine.bytes(path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  c.machine.put_file(path, bytes);
  const auto before = c.machine.tree();
  const auto recovered = session.recover(c.machine);
  REQUIRE(recovered.ok());
  REQUIRE(recovered->size() == 1);
  CHECK(recovered->front().exit == ExitCode::kStuck);
  CHECK(recovered->front().errors.at(0).code == "journal.corrupt");
  CHECK(same_tree(before, c.machine.tree()));
}

}  // namespace sentinel
