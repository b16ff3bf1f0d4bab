// SPDX-License-Identifier: Apache-2.0
// Automatic rollback: once, never in a loop, never without memory, also when the watch is killed at any point.
#include "agent/rollback_guard.h"

#include <catch2/catch.hpp>

#include "core/release/registry.h"
#include "tests/support/fake_system.h"
#include "tests/support/faulty_system.h"
#include "tests/unit/core/engine/support.h"

namespace sentinel::agent {
namespace {

const std::string kPath = "/var/lib/sentinel/watch.json";
const std::chrono::minutes kWindow{30};

/// Releases in the order a rollback goes through them.
struct Releases final : ReleaseControl {
  explicit Releases(Clock& time) : clock(time) {}

  Clock& clock;
  std::vector<std::string> stack{"1", "2"};
  std::chrono::minutes age{1};
  int asked = 0;
  bool broken = false;
  bool at_work = false;
  std::string end;  ///< of the last step; while set, a step changes nothing
  Activity activities;  ///< of the current one

  Result<std::optional<CurrentRelease>> current() override {
    if (broken) return Error("system.EIO", "the disk is broken");
    if (stack.empty()) return std::optional<CurrentRelease>();
    return std::optional(CurrentRelease{stack.back(), clock.now() - age});
  }

  Result<Activity> activity(const std::string&) override { return activities; }

  Result<bool> busy() override { return at_work; }

  Result<std::string> ended() override { return end; }

  Result<void> roll_back() override {
    ++asked;
    if (end.empty() && stack.size() > 1) stack.pop_back();
    return {};
  }
};

struct Scene {
  Scene() { machine.put_directory("/var/lib/sentinel"); }

  FakeSystem machine;
  ManualClock clock;
  Releases releases{clock};

  /// As a watch that was just started.
  GuardReport unhealthy(std::chrono::milliseconds window = kWindow) {
    RollbackMemory memory(machine, kPath);
    if (!memory.load().ok()) return {GuardOutcome::kDegraded, "no memory"};
    return RollbackGuard(releases, memory, clock, "demo", window).unhealthy("status 503");
  }
};

// By the host's registry, the application's releases are containers.
void deployed_to_containers(FakeSystem& machine) {
  machine.put_directory("/var/lib/sentinel");
  AppReleases known;
  known.app = "demo";
  known.runtime = RuntimeKind::kCompose;
  REQUIRE(ReleaseRegistry(machine, {}).write(known).ok());
}

}  // namespace

TEST_CASE("a bad release is taken back once, and the one that came is not") {
  Scene scene;
  scene.releases.stack = {"1", "2", "3"};
  CHECK(scene.unhealthy().outcome == GuardOutcome::kRollingBack);
  CHECK(scene.releases.stack.back() == "2");
  const auto again = scene.unhealthy();
  CHECK(again.outcome == GuardOutcome::kDegraded);
  CHECK(again.reason == "release 2 is in force since 3 was taken back");
  scene.releases.stack.push_back("3");
  CHECK(scene.unhealthy().reason == "release 3 was taken back once already");
  scene.releases.stack.push_back("4");
  CHECK(scene.unhealthy().outcome == GuardOutcome::kRollingBack);
  CHECK(scene.releases.asked == 2);
}

TEST_CASE("what is off, old or unknown is never taken back") {
  Scene scene;
  CHECK(scene.unhealthy(std::chrono::milliseconds(0)).outcome == GuardOutcome::kDegraded);
  scene.releases.age = std::chrono::minutes(31);
  CHECK(scene.unhealthy().outcome == GuardOutcome::kDegraded);
  scene.releases.age = std::chrono::minutes(1);
  scene.releases.broken = true;
  CHECK(scene.unhealthy().reason == "the disk is broken");
  scene.releases.broken = false;
  scene.releases.stack.clear();
  CHECK(scene.unhealthy().outcome == GuardOutcome::kDegraded);
  scene.releases.stack = {"1", "2"};
  scene.machine.put_file(kPath, "[{\"app\":");
  CHECK(scene.unhealthy().reason == "no memory");
  CHECK(scene.releases.asked == 0);
}

TEST_CASE("without a memory of it there is no step, and a death at any write leaves at most one") {
  for (const Fault fault : {Fault::kFailOnce, Fault::kDieBefore, Fault::kDieAfter}) {
    for (std::uint64_t at = 1; at <= 3; ++at) {
      Scene scene;
      FaultySystem faulty(scene.machine, fault, at);
      RollbackMemory memory(faulty, kPath);
      REQUIRE(memory.load().ok());
      RollbackGuard guard(scene.releases, memory, scene.clock, "demo", kWindow);
      try {
        static_cast<void>(guard.unhealthy("status 503"));
        guard.look();
      } catch (const Died&) {
      }
      // The watch comes back and finds the same trouble, again and again.
      for (int i = 0; i < 5; ++i) static_cast<void>(scene.unhealthy());
      INFO(at);
      CHECK(scene.releases.asked <= 1);
      if (scene.releases.asked == 1) CHECK(scene.releases.stack.back() == "1");
    }
  }
}

TEST_CASE("while a transaction is at work nothing is taken back, and nothing is remembered") {
  Scene scene;
  scene.releases.at_work = true;
  CHECK(scene.unhealthy().outcome == GuardOutcome::kWaiting);
  CHECK(scene.releases.asked == 0);
  scene.releases.at_work = false;
  CHECK(scene.unhealthy().outcome == GuardOutcome::kRollingBack);
}

TEST_CASE("a step that failed is news once, also after the watch was started again, and is not repeated") {
  Scene scene;
  scene.releases.end = "exit-code, status 7";
  CHECK(scene.unhealthy().outcome == GuardOutcome::kRollingBack);
  for (const bool news : {true, false, false}) {
    RollbackMemory memory(scene.machine, kPath);
    REQUIRE(memory.load().ok());
    RollbackGuard guard(scene.releases, memory, scene.clock, "demo", kWindow);
    CHECK((guard.look().find("release 2 could not be taken back (exit-code, status 7)") == 0) == news);
    CHECK(guard.counts().failed == 1);
    CHECK(guard.unhealthy("status 503").reason == "release 2 was taken back once already");
  }
  CHECK(scene.releases.asked == 1);
  // What a person brings afterwards did not come by that step.
  scene.releases.end.clear();
  scene.releases.stack.push_back("3");
  CHECK(scene.unhealthy().outcome == GuardOutcome::kRollingBack);
}

TEST_CASE("in its start period a release is not judged, whether it came or was started again") {
  Scene scene;
  RollbackMemory memory(scene.machine, kPath);
  RollbackGuard guard(scene.releases, memory, scene.clock, "demo", kWindow);
  CHECK(guard.starting(std::chrono::minutes(2)));
  CHECK_FALSE(guard.starting(std::chrono::minutes(1)));
  CHECK_FALSE(guard.starting(std::chrono::minutes(0)));
  scene.releases.activities.age = std::chrono::seconds(20);
  CHECK(guard.starting(std::chrono::minutes(1)));
  CHECK_FALSE(guard.starting(std::chrono::seconds(20)));
}

namespace {

/// A watch that looks at how often the release in force was started again.
struct Counting : Scene {
  RollbackMemory memory{machine, kPath};
  RollbackGuard guard{releases, memory, clock, "demo", kWindow};

  /// What is said when the release was started again, `times` in all, and last just now.
  std::string started_again(std::uint32_t times) {
    releases.activities.restarts = times;
    releases.activities.age = std::chrono::milliseconds(0);
    return guard.restarting();
  }

  /// So much later; a look now and then says nothing.
  void pass(std::chrono::minutes time) {
    for (auto gone = std::chrono::minutes(0); gone < time; ++gone) {
      clock.pass(std::chrono::minutes(1));
      releases.age += std::chrono::minutes(1);
      if (releases.activities.age) *releases.activities.age += std::chrono::minutes(1);
      CHECK(guard.restarting().empty());
    }
  }
};

}  // namespace

TEST_CASE("a release that is started again and again is said to be so once, when no transaction is at work") {
  Counting scene;
  CHECK(scene.started_again(2).empty());
  scene.releases.at_work = true;
  CHECK(scene.started_again(3).empty());
  scene.releases.at_work = false;
  CHECK(scene.guard.restarting() == "release 2 was started again 3 times within an hour");
  CHECK(scene.started_again(4).empty());
  scene.releases.stack.push_back("3");
  CHECK(scene.started_again(5) == "release 3 was started again 5 times within an hour");
}

TEST_CASE("restarts count for an hour: one that comes now and then over months is no loop") {
  Counting scene;
  scene.releases.age = std::chrono::hours(1000);
  for (std::uint32_t times = 1; times <= 20; ++times) {
    CHECK(scene.started_again(times).empty());
    scene.pass(std::chrono::minutes(30));
  }
  // The last one is half an hour ago.
  CHECK(scene.started_again(21).empty());
  CHECK(scene.started_again(22) == "release 2 was started again 3 times within an hour");
  scene.pass(std::chrono::minutes(59));
  // Said once, until an hour went by without any.
  CHECK(scene.started_again(26).empty());
  scene.pass(std::chrono::minutes(60));
  CHECK(scene.started_again(29) == "release 2 was started again 3 times within an hour");
}

TEST_CASE("what a watch finds when it begins counts for a release that came within the hour, and for no other") {
  const auto [age, ran, counts] = GENERATE(table<int, int, bool>({
      {59, 5, true},  // minutes in force, minutes since it was last started, whether its restarts count
      {60, 5, false},
      {10, 11, false},  // it ran before it came into force, as one does that a deploy went back to
  }));
  CAPTURE(age, ran);
  Counting scene;
  scene.releases.age = std::chrono::minutes(age);
  scene.releases.activities.restarts = 3;
  scene.releases.activities.age = std::chrono::minutes(ran);
  CHECK(scene.guard.restarting().empty() != counts);
  CHECK(scene.started_again(5).empty());
  CHECK(scene.started_again(6).empty() == counts);
}

TEST_CASE("a counter that began anew says what came since") {
  Counting scene;
  scene.releases.age = std::chrono::hours(10);
  CHECK(scene.started_again(7).empty());
  CHECK(scene.started_again(9).empty());
  CHECK(scene.started_again(1).empty());
  CHECK(scene.started_again(3) == "release 2 was started again 3 times within an hour");
}

TEST_CASE("the host's link says what is in force, and its unit goes back") {
  FakeSystem machine;
  ManualClock clock;
  ReleaseParts parts(machine, clock);
  HostReleaseControl releases(machine, parts, "demo");
  CHECK_FALSE(releases.current()->has_value());
  machine.put_directory("/opt/demo");
  machine.put_link("/opt/demo/current", "releases/7");
  CHECK((*releases.current())->id == "7");
  machine.on({"systemctl", "show"}, {0, "ActiveState=activating\nJob=0\n", ""});
  CHECK(releases.ended()->empty());
  machine.on({"systemctl", "show"}, {0, "ActiveState=failed\nResult=exit-code\nExecMainStatus=7\nJob=\n", ""});
  CHECK(*releases.ended() == "exit-code, status 7");
  machine.on({"systemctl", "start"}, {0, "", ""});
  CHECK(releases.roll_back().ok());
  CHECK(machine.commands().back() == "systemctl start --no-block sentinel-rollback@demo.service");
  machine.on({"systemctl", "start"}, {5, "", "no such unit\n"});
  CHECK(releases.roll_back().error().message == "the rollback was not started: status 5: no such unit");
}

TEST_CASE("what a release's processes do is asked of its runtime: of systemd also when nothing was ever deployed") {
  FakeSystem machine;
  ManualClock clock;
  std::string told;
  ReleaseParts parts(machine, clock, Docker::kPatience, [&told](const std::string&, const std::string& target, const std::string&, auto) {
    CHECK(target == "/containers/demo-7/json");
    return Result<HttpReply>(HttpReply{200, told});
  });
  HostReleaseControl releases(machine, parts, "demo");
  const auto seen = [&releases] {
    const auto activity = releases.activity("7");
    REQUIRE(activity.ok());
    return std::pair(activity->restarts, activity->age);
  };
  using Age = std::optional<std::chrono::milliseconds>;
  machine.on({"systemctl", "show"}, {0, "NRestarts=3\nExecMainStartTimestampMonotonic=990000000\n", ""});
  CHECK(seen() == std::pair(3U, Age(std::chrono::seconds(10))));
  CHECK(machine.commands().back().ends_with(" demo-7.service"));
  // It has never run.
  machine.on({"systemctl", "show"}, {0, "NRestarts=0\nExecMainStartTimestampMonotonic=0\n", ""});
  deployed_to_containers(machine);
  const std::string state = R"({"Id": "c", "RestartCount": 4, "State": {"Status": "running", "ExitCode": 0, )"
                            R"("OOMKilled": false, "StartedAt": ")";
  told = state + "2023-11-14T23:12:50.123456789Z\"}}";
  CHECK(seen() == std::pair(4U, Age(std::chrono::seconds(30))));
  told = state + "0001-01-01T00:00:00Z\"}}";
  CHECK(seen() == std::pair(4U, Age()));
}

TEST_CASE("an engine that is away or hangs is asked with the patience that the watch has") {
  FakeSystem machine;
  ManualClock clock;
  machine.put_file("/usr/bin/docker", "");
  std::chrono::milliseconds most{0};
  ReleaseParts parts(machine, clock, std::chrono::seconds(5), [&most](const auto&, const auto&, const auto&, auto limit) {
    most = std::max(most, limit);
    return Result<HttpReply>(Error("http.connect", "nobody listens"));
  });
  deployed_to_containers(machine);
  const auto begun = clock.since_boot();
  CHECK(HostReleaseControl(machine, parts, "demo").activity("7").error().code == "release.docker");
  CHECK(clock.since_boot() - begun <= std::chrono::seconds(6));
  CHECK(most == std::chrono::seconds(5));
}

}  // namespace sentinel::agent
