// SPDX-License-Identifier: Apache-2.0
// The gate against scripted probes and a clock that only moves when it is slept on: what decides, and when.
#include "core/health/gate.h"

#include <deque>
#include <map>

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

using std::chrono::milliseconds;

class HandClock final : public Clock {
 public:
  std::chrono::system_clock::time_point now() const override { return std::chrono::system_clock::time_point(time_); }

  std::chrono::nanoseconds since_boot() const override { return time_; }

  void sleep(milliseconds duration) override { time_ += duration; }

 private:
  std::chrono::milliseconds time_{1'000'000};
};

/// Answers of each probe in turn; the last one again and again. '+' healthy, '-' not, 'z' stalls until its limit.
class ScriptedRunner final : public ProbeRunner {
 public:
  explicit ScriptedRunner(HandClock& clock) : clock_(clock) {}

  std::map<std::string, std::string> scripts;
  std::vector<std::string> asked;

  ProbeAnswer run(const Probe& probe, milliseconds limit) override {
    asked.push_back(probe.name);
    std::string& script = scripts[probe.name];
    const char next = script.empty() ? '-' : script.front();
    if (script.size() > 1) script.erase(0, 1);
    if (next == 'z') {
      clock_.sleep(std::min(limit, milliseconds(probe.timeout_ms)));
      return {probe.name, false, "stalled", probe.timeout_ms};
    }
    clock_.sleep(milliseconds(1));
    return {probe.name, next == '+', next == '+' ? "good" : "bad", 1};
  }

 private:
  HandClock& clock_;
};

Probe probe(const std::string& name, ProbeKind kind = ProbeKind::kReadiness, std::uint32_t successes = 1) {
  Probe out;
  out.name = name;
  out.kind = kind;
  out.successes = successes;
  return out;
}

struct Scene {
  HandClock clock;
  ScriptedRunner runner{clock};
  GateSettings settings;
  GateHooks hooks;

  GateVerdict wait(const std::vector<Probe>& probes) { return await_healthy(probes, settings, runner, clock, hooks); }
};

}  // namespace

TEST_CASE("fifty seconds of failures before the deadline decide nothing") {
  Scene scene;
  scene.runner.scripts["ready"] = std::string(50, '-') + "+";
  const auto verdict = scene.wait({probe("ready")});
  CHECK(verdict.healthy);
  CHECK(verdict.probes.at(0).attempts == 51);
  CHECK(verdict.probes.at(0).last_failure == "bad");
  CHECK(verdict.elapsed_ms >= 50'000);
}

TEST_CASE("successes count only in a row") {
  Scene scene;
  scene.runner.scripts["ready"] = "++-++-+++";
  const auto verdict = scene.wait({probe("ready", ProbeKind::kReadiness, 3)});
  CHECK(verdict.healthy);
  CHECK(verdict.probes.at(0).attempts == 9);
}

TEST_CASE("one that never gets its successes in a row fails at the deadline, with what it said last") {
  Scene scene;
  for (int i = 0; i < 200; ++i) scene.runner.scripts["flapping"] += "++-";
  scene.settings.deadline_ms = 20'000;
  const auto verdict = scene.wait({probe("flapping", ProbeKind::kReadiness, 3)});
  CHECK_FALSE(verdict.healthy);
  CHECK(verdict.elapsed_ms == 20'000);
  CHECK_THAT(verdict.reason, Catch::Contains("flapping has") && Catch::Contains("of 3 successes in a row, last: "));
}

TEST_CASE("a probe that stalls gets no more than what is left") {
  Scene scene;
  scene.runner.scripts["stalls"] = "z";
  scene.settings.deadline_ms = 3'500;
  const auto verdict = scene.wait({probe("stalls")});
  CHECK_FALSE(verdict.healthy);
  CHECK(verdict.elapsed_ms == 3'500);
}

TEST_CASE("the reason is that of the last whole try, not of one that the deadline cut short") {
  Scene scene;
  scene.runner.scripts["stalls"] = "-z";
  scene.settings.deadline_ms = 2'000;
  CHECK(scene.wait({probe("stalls")}).probes.at(0).last == "bad");
}

TEST_CASE("without a probe nothing is healthy") {
  Scene scene;
  const auto verdict = scene.wait({});
  CHECK_FALSE(verdict.healthy);
  CHECK(verdict.elapsed_ms == 0);
}

TEST_CASE("the end of the process decides at once, also against a healthy answer") {
  Scene scene;
  scene.runner.scripts["ready"] = "-";
  scene.hooks.process_ended = [&]() -> std::optional<std::string> {
    if (scene.clock.since_boot() < milliseconds(1'005'000)) return {};
    return "it exited with status 1";
  };
  const auto verdict = scene.wait({probe("ready")});
  CHECK(verdict.reason == "it exited with status 1");
  CHECK(verdict.elapsed_ms >= 5'000);
  CHECK(verdict.elapsed_ms <= 5'100);

  Scene gone;
  gone.runner.scripts["ready"] = "+";
  gone.hooks.process_ended = [&]() -> std::optional<std::string> {
    if (gone.runner.asked.empty()) return {};
    return "killed";
  };
  CHECK_FALSE(gone.wait({probe("ready")}).healthy);
}

TEST_CASE("a cancel ends it") {
  Scene scene;
  scene.hooks.cancelled = [&] { return scene.runner.asked.size() == 2; };
  const auto verdict = scene.wait({probe("ready")});
  CHECK_FALSE(verdict.healthy);
  CHECK(verdict.reason == "cancelled");
}

TEST_CASE("startup first and once, then readiness and liveness, then the verify probe beside them") {
  Scene scene;
  scene.runner.scripts = {{"start", "--+"}, {"ready", "-+"}, {"live", "+"}, {"chat", "-+"}};
  const auto verdict = scene.wait({probe("chat", ProbeKind::kVerify), probe("ready"),
                                   probe("live", ProbeKind::kLiveness), probe("start", ProbeKind::kStartup)});
  REQUIRE(verdict.healthy);
  const auto& asked = scene.runner.asked;
  const auto count = [&](const std::string& name) { return std::count(asked.begin(), asked.end(), name); };
  CHECK(count("start") == 3);
  CHECK(std::vector<std::string>(asked.begin(), asked.begin() + 3) == std::vector<std::string>(3, "start"));
  CHECK(count("chat") == 2);
  const auto first_chat = std::find(asked.begin(), asked.end(), "chat");
  CHECK(std::count(asked.begin(), first_chat, "ready") == 2);
}

TEST_CASE("a readiness that goes again while the verify probe is asked keeps the gate shut") {
  Scene scene;
  scene.runner.scripts = {{"ready", "+-"}, {"chat", "-+"}};
  scene.settings.deadline_ms = 10'000;
  CHECK_FALSE(scene.wait({probe("ready"), probe("chat", ProbeKind::kVerify)}).healthy);
}

}  // namespace sentinel
