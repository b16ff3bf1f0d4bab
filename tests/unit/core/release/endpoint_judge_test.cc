// SPDX-License-Identifier: Apache-2.0
// The watch over a release that has the traffic: what ends it, whatever the probes say.
#include "core/release/endpoint_judge.h"

#include <catch2/catch.hpp>

#include "tests/unit/core/engine/support.h"

using namespace sentinel;

namespace {

struct WellProbes final : ProbeRunner {
  ProbeAnswer run(const Probe& probe, std::chrono::milliseconds) override { return {probe.name, true, "status 200", 1}; }
};

// A release's processes, by time.
struct Processes final : Runtime {
  explicit Processes(Clock& time) : clock(time) {}

  Clock& clock;
  std::function<Activity(std::chrono::nanoseconds)> at;

  Result<Activity> activity(const Release&) override { return at(clock.since_boot()); }

  ReleaseEndpoint endpoint(const Release&) const override { return {"/run/x"}; }

  Result<void> check(const Release&) override { return {}; }

  Result<bool> must_end_first(const Release&) override { return false; }

  Result<void> prepare(const Release&) override { return {}; }

  Result<void> start_candidate(const Release&) override { return {}; }

  Result<void> switch_to(const Release&, const std::optional<Release>&) override { return {}; }

  Result<void> back(const Release&, const std::optional<Release>&) override { return {}; }

  Result<void> promote(const Release&, const std::optional<Release>&) override { return {}; }

  Result<void> drain(const Release&, bool) override { return {}; }

  Result<std::map<std::string, Remains>> remains(const std::vector<Release>&) override {
    return std::map<std::string, Remains>();
  }

  Result<void> forget(const Release&) override { return {}; }

  Result<void> discard(const Release&) override { return {}; }

  std::vector<std::string> log(const Release&, std::size_t) override { return {}; }
};

// Every answer takes as long as it may, and there is none.
struct SilentProbes final : ProbeRunner {
  explicit SilentProbes(Clock& time) : clock(time) {}

  Clock& clock;

  ProbeAnswer run(const Probe& probe, std::chrono::milliseconds limit) override {
    clock.sleep(limit);
    return {probe.name, false, "no answer", 1};
  }
};

struct Watch {
  ManualClock clock;
  WellProbes probes;
  Processes processes{clock};
  EndpointJudge judge{clock, probes, [](const auto&, const auto&, const auto&) {
                        return Result<std::string>(Error("http.connect", "its requests are not counted here"));
                      }};

  Result<std::string> run() {
    Release next;
    next.id = "2";
    next.policy.health.bake = {10'000, 0.01, 50};
    return judge.watch(next, processes, [] { return false; });
  }
};

}  // namespace

TEST_CASE("a release that runs on under good probes is well") {
  Watch watch;
  watch.processes.at = [](std::chrono::nanoseconds) { return Activity{true, "", 0, "run 1"}; };
  CHECK(watch.run().ok());
}

TEST_CASE("one that was started anew, or ended, is not, though every probe is good") {
  const bool ended = GENERATE(true, false);
  Watch watch;
  const auto begin = watch.clock.since_boot();
  watch.processes.at = [&](std::chrono::nanoseconds now) {
    if (now < begin + std::chrono::seconds(4)) return Activity{true, "", 0, "run 1"};
    return ended ? Activity{false, "it ended: watchdog, status 6", 0, "run 1"} : Activity{true, "", 1, "run 2"};
  };
  const auto verdict = watch.run();
  REQUIRE_FALSE(verdict.ok());
  CHECK(verdict.error().exit == ExitCode::kRolledBack);
  CHECK(verdict.error().message == (ended ? "release 2 ended while it had the traffic: it ended: watchdog, status 6"
                                          : "release 2 was started anew while it had the traffic"));
  CHECK(watch.clock.since_boot() < begin + std::chrono::seconds(5));
}

TEST_CASE("one that hangs is found out by its probes, and not asked for its counts before") {
  Watch watch;
  SilentProbes silent(watch.clock);
  watch.processes.at = [](std::chrono::nanoseconds) { return Activity{true, "", 0, "run 1"}; };
  EndpointJudge judge(watch.clock, silent, [&watch](const auto&, const auto&, const auto&) {
    watch.clock.sleep(std::chrono::seconds(5));
    return Result<std::string>(Error("http.timeout", "no answer"));
  });
  Release next;
  next.id = "2";
  next.policy.health.bake = {60'000, 0.01, 50};
  next.policy.health.probes = {{"live", ProbeKind::kLiveness, TcpProbe{}, 1000, 1000, 1, 2}};
  const auto begin = watch.clock.since_boot();
  const auto verdict = judge.watch(next, watch.processes, [] { return false; });
  REQUIRE_FALSE(verdict.ok());
  CHECK(verdict.error().message == "release 2 is not healthy any more: live: no answer");
  CHECK(watch.clock.since_boot() - begin <= 2 * std::chrono::seconds(1 + 1));
}
