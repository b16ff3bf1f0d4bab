// SPDX-License-Identifier: Apache-2.0
// What a deploy is shown to change before it changes anything.
#include "core/release/release_plan.h"

#include <catch2/catch.hpp>

#include "core/model/json.h"
#include "tests/unit/core/release/rollout_bench.h"

using namespace sentinel;

TEST_CASE("a plan shows no value of a probe's header, be it of the release in force or of the next") {
  RolloutBench bench;
  const auto probed = [&](const std::string& id, const std::string& transaction, const std::string& value) {
    auto input = bench.input(id, transaction);
    HttpProbe chat;
    chat.headers["Authorization"] = value;
    input.request.release->release.policy.health.probes = {{"chat", ProbeKind::kVerify, chat, 1, 1, 1, 1}};
    return input;
  };
  REQUIRE(bench.run(bench.machine, probed("1.0", kFirst, "hunter1")).outcome == "changed");
  auto next = probed("2.0", kSecond, "hunter2");
  next.request.release->release.policy.keep = 9;
  const auto shown = nlohmann::json(bench.plan(next)).dump();
  CHECK(shown.find("policy") != std::string::npos);
  CHECK(shown.find("hunter") == std::string::npos);
}

TEST_CASE("a release's name is no change where every release has its own, and one in all other files") {
  const auto [path, differs] =
      GENERATE(table<std::string, bool>({{kReleaseUnit, false}, {kReleaseCompose, false}, {kReleaseConfig, true}}));
  CAPTURE(path);
  RolloutBench bench;
  const auto named = [&bench, file = path](const std::string& id, const std::string& transaction) {
    auto input = bench.input("1.0", transaction);
    auto& release = input.request.release->release;
    release.id = id;
    const Content text("from: /srv/" + id + "/models\n");
    REQUIRE(HostState(bench.machine).blobs.put(text.serialize()).ok());
    release.files.push_back({file, 0644, reference_to(text)});
    return input;
  };
  REQUIRE(bench.run(bench.machine, named("1.0", kFirst)).outcome == "changed");
  const auto plan = bench.plan(named("2.0", kSecond));
  REQUIRE(plan.steps.size() == (differs ? 1U : 0U));
  if (differs) CHECK(plan.steps.front().changes.back().attribute == kReleaseConfig);
}
