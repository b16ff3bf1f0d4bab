// SPDX-License-Identifier: Apache-2.0
// Migrations as steps of a rollout: those in effect on the machine are those that are remembered, whatever fails and
// wherever the process dies.
#include "core/release/migrations.h"

#include <catch2/catch.hpp>

#include "tests/support/faulty_system.h"
#include "tests/unit/core/release/rollout_bench.h"

using namespace sentinel;

namespace {

ReleaseMigration migration(const std::string& id, bool undo = true) {
  return {id, {"run", id}, undo ? std::vector<std::string>{"undo", id} : std::vector<std::string>(), undo ? "" : "why"};
}

// Which migrations are in effect on the machine: those whose run was seen and whose undo was not.
struct Migrated {
  std::set<std::string> effect;
  std::string fails;

  explicit Migrated(FakeSystem& machine) {
    machine.on({"systemctl", "stop"}, CommandResult{});
    machine.on({"systemd-run"}, [this](FakeSystem&, const CommandLine& command) {
      const auto& id = command.argv.back();
      const auto& verb = command.argv.at(command.argv.size() - 2);
      if (verb == "run") effect.insert(id);
      if (verb == "undo") effect.erase(id);
      return fails == verb + " " + id ? CommandResult{3, "", "no such table\n"} : CommandResult{};
    });
  }
};

std::set<std::string> remembered(const AppReleases& app) {
  std::set<std::string> out;
  for (const auto& done : app.migrations) out.insert(done.migration.id);
  return out;
}

}  // namespace

TEST_CASE("migrations are run once, undone by a way back where they can be, and run again by a way forward") {
  RolloutBench bench;
  Migrated machine(bench.machine);
  auto one = bench.input("1.0", kFirst);
  one.request.release->release.migrations = {migration("a")};
  REQUIRE(bench.run(bench.machine, one).outcome == "changed");
  bench.clock.sleep(std::chrono::seconds(1));
  auto two = bench.input("2.0", kSecond);
  two.request.release->release.migrations = {migration("a"), migration("b"), migration("c", false)};
  REQUIRE(bench.run(bench.machine, two).outcome == "changed");
  CHECK(machine.effect == std::set<std::string>{"a", "b", "c"});
  CHECK(remembered(bench.app()) == machine.effect);
  bench.clock.sleep(std::chrono::seconds(1));
  REQUIRE(bench.run(bench.machine, back_to("1.0", std::string(32, '3'))).outcome == "changed");
  CHECK(machine.effect == std::set<std::string>{"a", "c"});
  CHECK(remembered(bench.app()) == machine.effect);
  REQUIRE(bench.run(bench.machine, back_to("2.0", std::string(32, '4'))).outcome == "changed");
  CHECK(machine.effect == std::set<std::string>{"a", "b", "c"});
  CHECK(remembered(bench.app()) == machine.effect);
}

TEST_CASE("a release that is taken back takes its migrations along, and one that can't be undone is remembered") {
  const std::string what = GENERATE("not ready", "not well", "run b");
  CAPTURE(what);
  RolloutBench bench;
  bench.first();
  Migrated machine(bench.machine);
  machine.fails = what;
  bench.judge.ready = what != "not ready";
  bench.judge.well = what != "not well";
  auto two = bench.input("2.0", kSecond);
  two.request.release->release.migrations = {migration("a", false), migration("b")};
  const auto outcome = bench.run(bench.machine, two);
  CHECK(outcome.outcome == "reverted");
  CHECK(machine.effect == std::set<std::string>{"a"});
  CHECK(remembered(bench.app()) == std::set<std::string>{"a"});
  CHECK(bench.runtime.traffic == "1.0");
}

TEST_CASE("a way back whose undo fails goes forward again, with all its migrations") {
  RolloutBench bench;
  bench.first();
  Migrated machine(bench.machine);
  bench.clock.sleep(std::chrono::seconds(1));
  auto two = bench.input("2.0", kSecond);
  two.request.release->release.migrations = {migration("a"), migration("b")};
  REQUIRE(bench.run(bench.machine, two).outcome == "changed");
  machine.fails = "undo a";
  CHECK(bench.run(bench.machine, back_to("1.0", std::string(32, '3'))).outcome == "reverted");
  CHECK(machine.effect == std::set<std::string>{"a", "b"});
  CHECK(remembered(bench.app()) == machine.effect);
  CHECK(bench.runtime.traffic == "2.0");
}

TEST_CASE("wherever the process dies, migrations are in effect as they are remembered") {
  for (std::uint64_t at = 1;; ++at) {
    CAPTURE(at);
    RolloutBench bench;
    bench.first();
    Migrated machine(bench.machine);
    auto two = bench.input("2.0", kSecond);
    two.request.release->release.migrations = {migration("a"), migration("b")};
    FaultySystem faulty(bench.machine, Fault::kDieAfter, at);
    try {
      (void)bench.run(faulty, two);
    } catch (const Died&) {
    }
    if (!faulty.struck()) break;
    REQUIRE(bench.recover().ok());
    const auto app = bench.app();
    CHECK(remembered(app) == machine.effect);
    CHECK(machine.effect.size() == (app.current == "2.0" ? 2U : 0U));
  }
}
