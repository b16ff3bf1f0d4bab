// SPDX-License-Identifier: Apache-2.0
// Rollouts that could not come to their end: wherever the process dies or the disk fails, exactly one release has the
// traffic afterwards, and the registry says which.
#include "core/release/rollout.h"

#include <catch2/catch.hpp>

#include "core/engine/room.h"
#include "tests/support/faulty_system.h"
#include "tests/unit/core/release/rollout_bench.h"

using namespace sentinel;

TEST_CASE("what could not be taken back whole for lack of room stays open, and is when there is some") {
  RolloutBench bench;
  bench.first();
  bench.judge.ready = false;
  bench.events.on_event = [&](const Event& event) {
    if (event.text == "revert") bench.machine.leave_room(64);
  };
  const auto outcome = bench.run(bench.machine, bench.input("2.0", kSecond));
  CHECK(outcome.exit == ExitCode::kStuck);
  CHECK(outcome.errors.at(1).hint == "make room on the host's disk; it is put back by itself then");
  CHECK(bench.runtime.traffic == "1.0");
  HostState host(bench.machine);
  REQUIRE(journal::open_transactions(bench.machine, host.directory).value().transactions.size() == 1);
  CHECK_FALSE(has_room(host));
  bench.machine.leave_room(SIZE_MAX);
  CHECK(has_room(host));
  const auto recovered = bench.recover();
  REQUIRE(recovered.ok());
  CHECK(recovered->at(0).outcome == "reverted");
  CHECK(bench.app().find("2.0")->reason == "not ready");
  CHECK(journal::open_transactions(bench.machine, host.directory).value().transactions.empty());
}

TEST_CASE("wherever the process dies or the disk fails, recovery leaves one release in force and the registry says which") {
  const auto fault = GENERATE(Fault::kDieBefore, Fault::kDieAfter, Fault::kFailForever);
  for (std::uint64_t at = 1;; ++at) {
    CAPTURE(at);
    RolloutBench bench;
    bench.first();
    const auto ordered = bench.input("2.0", kSecond);
    FaultySystem faulty(bench.machine, fault, at);
    try {
      (void)bench.run(faulty, ordered);
    } catch (const Died&) {
    }
    if (!faulty.struck()) break;
    const auto recovered = bench.recover();
    REQUIRE(recovered.ok());
    for (const auto& one : *recovered) CHECK(one.outcome != "stuck");
    const auto app = bench.app();
    CHECK((app.current == "1.0" || app.current == "2.0"));
    CHECK(bench.runtime.traffic == app.current);
    CHECK(bench.runtime.boots == app.current);
    CHECK(app.find(app.current)->state == ReleaseState::kConfirmed);
    REQUIRE(journal::open_transactions(bench.machine, {}).value().transactions.empty());
  }
}
