// SPDX-License-Identifier: Apache-2.0
// The rollout over a machine in memory and a runtime that is a few flags: whatever fails, exactly one release has the
// traffic at the end, and the registry says the same.
#include "core/release/rollout.h"

#include <catch2/catch.hpp>

#include "tests/unit/core/release/rollout_bench.h"

using namespace sentinel;

TEST_CASE("a second release takes over, and the first is where a rollback goes") {
  RolloutBench bench;
  bench.first();
  CHECK(bench.run(bench.machine, bench.input("2.0", kSecond)).outcome == "changed");
  CHECK(bench.runtime.traffic == "2.0");
  CHECK(bench.runtime.boots == "2.0");
  CHECK(bench.runtime.running == std::set<std::string>{"2.0"});
  const auto app = bench.app();
  CHECK(app.current == "2.0");
  CHECK(app.previous == "1.0");
  CHECK(app.find("2.0")->state == ReleaseState::kConfirmed);
  CHECK(bench.machine.read_link("/opt/app/current").value() == "releases/2.0");
  CHECK(bench.machine.bytes("/var/lib/sentinel/releases/app/2.0/environment") == "KEY=s3cret-value");
}

TEST_CASE("whatever fails before the decision, the former release has the traffic and the reason is kept") {
  const std::string what = GENERATE("check", "prepare", "start", "switch", "promote", "not ready", "not well");
  CAPTURE(what);
  RolloutBench bench;
  bench.first();
  bench.runtime.fails = what;
  bench.judge.ready = what != "not ready";
  bench.judge.well = what != "not well";
  const auto outcome = bench.run(bench.machine, bench.input("2.0", kSecond));
  CHECK(outcome.outcome == "reverted");
  CHECK(bench.runtime.traffic == "1.0");
  CHECK(bench.runtime.boots == "1.0");
  CHECK(bench.runtime.running.count("2.0") == 0);
  const auto app = bench.app();
  CHECK(app.current == "1.0");
  REQUIRE(app.find("2.0") != nullptr);
  CHECK(app.find("2.0")->state == ReleaseState::kFailed);
  CHECK(app.find("2.0")->reason == outcome.errors.front().message);
  for (const auto& line : app.find("2.0")->log) CHECK(line == "it said [secret KEY]");
}

TEST_CASE("a release that ends between the watch and the decision is not decided for") {
  RolloutBench bench;
  bench.first();
  bench.runtime.dead = true;
  auto two = bench.input("2.0", kSecond);
  SECTION("it is taken back") {
    const auto outcome = bench.run(bench.machine, two);
    CHECK(outcome.outcome == "reverted");
    CHECK(outcome.exit == ExitCode::kRolledBack);
    CHECK(bench.runtime.traffic == "1.0");
    CHECK(bench.app().find("2.0")->reason == "release 2.0 ended while it had the traffic: killed");
  }
  SECTION("unless it was to be kept, whatever comes") {
    two.request.release->roll_back = false;
    const auto outcome = bench.run(bench.machine, two);
    CHECK(outcome.exit == ExitCode::kStuck);
    CHECK(outcome.errors.at(0).code == "release.kept");
    CHECK(bench.app().current == "2.0");
  }
}

TEST_CASE("a way back that fails is said to need a person") {
  RolloutBench bench;
  bench.first();
  bench.judge.ready = false;
  bench.runtime.fails = "back";
  const auto outcome = bench.run(bench.machine, bench.input("2.0", kSecond));
  CHECK(outcome.outcome == "stuck");
  CHECK(outcome.exit == ExitCode::kStuck);
  CHECK(outcome.errors.at(1).message.find("which release has the traffic") != std::string::npos);
}

TEST_CASE("a way back to a release that still drains waits for its end") {
  RolloutBench bench;
  bench.first();
  REQUIRE(bench.run(bench.machine, bench.input("2.0", kSecond)).outcome == "changed");
  bench.runtime.running.insert("1.0");
  bench.runtime.fails = "drain";
  CHECK(bench.run(bench.machine, back_to("1.0", std::string(32, '3'))).errors.at(0).message == "drain failed");
  CHECK(bench.runtime.traffic == "2.0");
  bench.runtime.running.insert("1.0");
  CHECK(bench.run(bench.machine, back_to("1.0", std::string(32, '4'))).outcome == "changed");
  CHECK(bench.runtime.traffic == "1.0");
}

TEST_CASE("the release in force brings its watch, and the watch begins anew only where it differs") {
  RolloutBench bench;
  bench.machine.on({"systemctl", "restart"}, CommandResult{});
  auto one = bench.input("1.0", kFirst);
  HostState host(bench.machine);
  const Content settings("{\"port\": 1}\n");
  REQUIRE(host.blobs.put(settings.serialize()).ok());
  one.request.release->release.files.push_back({kReleaseWatch, 0644, reference_to(settings)});
  REQUIRE(bench.run(bench.machine, one).outcome == "changed");
  CHECK(bench.machine.bytes("/etc/sentinel/watch.json") == "{\"port\": 1}\n");
  CHECK(bench.machine.commands().back() == "systemctl restart --no-block sentinel-watch.service");
  bench.machine.clear_records();
  auto two = bench.input("2.0", kSecond);
  two.request.release->release.files.push_back({kReleaseWatch, 0644, reference_to(settings)});
  REQUIRE(bench.run(bench.machine, two).outcome == "changed");
  CHECK(bench.machine.commands().empty());
}
