// SPDX-License-Identifier: Apache-2.0
// What kubectl answered, recorded and shortened to the fields of its API, as the probes see it.
#include <catch2/catch.hpp>

#include "core/checks/probe.h"
#include "tests/support/fake_system.h"

using namespace sentinel;

namespace {

Observation seen(const std::string& probe, const std::string& kind, const CommandResult& answer) {
  FakeSystem machine;
  machine.on({"kubectl", "get", kind}, answer);
  Look look({machine, {}, {}, Secret("key"), {}});
  return ask({probe, nlohmann::json::object()}, look, Facts{});
}

Observation seen(const std::string& probe, const std::string& kind, const std::string& items) {
  CommandResult answer;
  answer.output = R"({"apiVersion":"v1","kind":"List","items":)" + items + "}";
  return seen(probe, kind, answer);
}

const std::string kReady =
    R"({"metadata":{"name":"gateway-7d9c"},"status":{"phase":"Running","conditions":[{"type":"Initialized","status":"True"},)"
    R"({"type":"Ready","status":"True"}],"containerStatuses":[{"ready":true,"restartCount":2,"state":{"running":{}}}]}})";
const std::string kWaits =
    R"({"metadata":{"name":"brain-5f4b"},"status":{"phase":"Running","conditions":[{"type":"Ready","status":"False"}],)"
    R"("containerStatuses":[{"ready":false,"restartCount":9,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}})";
const std::string kPending = R"({"metadata":{"name":"brain-0"},"status":{"phase":"Pending"}})";
const std::string kEnded =
    R"({"metadata":{"name":"migrate"},"status":{"phase":"Succeeded","conditions":[{"type":"Ready","status":"False"}]}})";

}  // namespace

TEST_CASE("pods that are ready, that wait, and that ended") {
  const auto good = seen("kubernetes.pods", "pods", "[" + kReady + "," + kEnded + "]");
  REQUIRE_FALSE(good.error);
  CHECK(good.value ==
        nlohmann::json{{"pods", 1}, {"not_ready", 0}, {"waiting", nlohmann::json::array()}, {"restarts", 2}});
  const auto bad = seen("kubernetes.pods", "pods", "[" + kReady + "," + kWaits + "," + kPending + "]");
  CHECK(bad.value.at("not_ready") == 2);
  CHECK(bad.value.at("waiting") == nlohmann::json{"brain-5f4b: CrashLoopBackOff"});
}

TEST_CASE("deployments by their ready replicas") {
  const auto found = seen("kubernetes.deployments", "deployments",
                          R"([{"metadata":{"name":"gateway"},"status":{"replicas":3,"readyReplicas":3}},)"
                          R"({"metadata":{"name":"brain"},"status":{"replicas":3}}])");
  CHECK(found.value.at("ready") == nlohmann::json{{"gateway", 3}, {"brain", 0}});
}

TEST_CASE("disruption budgets and autoscalers: the worst of them counts") {
  const auto budgets = seen("kubernetes.disruption", "poddisruptionbudgets",
                            R"([{"status":{"disruptionsAllowed":2,"expectedPods":3}},)"
                            R"({"status":{"disruptionsAllowed":0,"expectedPods":1}}])");
  CHECK(budgets.value == nlohmann::json{{"budgets", 2}, {"allowed", 0}, {"covered", 1}});
  CHECK(seen("kubernetes.disruption", "poddisruptionbudgets", "[]").value.at("allowed") == 0);
  const auto scaler = [](const std::string& status) {
    return R"({"status":{"conditions":[{"type":"ScalingActive","status":")" + status + R"("}]}})";
  };
  const auto active = [&](const std::string& items) {
    return seen("kubernetes.autoscaling", "horizontalpodautoscalers.v2.autoscaling", items).value.at("scaling_active");
  };
  CHECK(active("[" + scaler("True") + "]") == true);
  CHECK(active("[" + scaler("True") + "," + scaler("False") + "]") == false);
  CHECK(active("[]") == false);
}

TEST_CASE("a cluster that can't be asked is no value") {
  for (const auto* probe :
       {"kubernetes.pods", "kubernetes.deployments", "kubernetes.disruption", "kubernetes.autoscaling"}) {
    CAPTURE(probe);
    CommandResult denied;
    denied.status = 1;
    denied.errors = "Error from server (Forbidden)";
    CommandResult garbled;
    garbled.output = "No resources found";
    CommandResult other;
    other.output = R"({"items":[{"estado":"listo"}]})";
    CommandResult none;
    none.status = 127;
    for (const auto& answer : {denied, garbled, other, none}) {
      FakeSystem machine;
      machine.on({"kubectl"}, answer);
      Look look({machine, {}, {}, Secret("key"), {}});
      CHECK(ask({probe, nlohmann::json::object()}, look, Facts{}).error.has_value());
    }
  }
  CHECK(seen("kubernetes.pods", "pods", "[]").error.has_value());
}
