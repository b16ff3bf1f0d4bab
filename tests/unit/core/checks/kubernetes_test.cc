// SPDX-License-Identifier: Apache-2.0
// What kubectl answers, shortened to the fields of its API, as the probes see it; logs of jobs as k6 and pytest write
// them.
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

TEST_CASE("what a service says of its own parts") {
  FakeSystem machine;
  CommandResult answer;
  answer.output = R"({"status":"degraded","services":{"postgres":"ok","rabbitmq":"down","redis":"ok"}})";
  machine.on({"kubectl", "get", "--raw", "/api/v1/namespaces/queue/services/api:8080/proxy/api/v1/health"}, answer);
  Look look({machine, {}, {}, Secret("key"), {}});
  const auto found = ask({"kubernetes.health", {{"namespace", "queue"}, {"service", "api:8080"}}}, look, Facts{});
  REQUIRE_FALSE(found.error);
  CHECK(found.value.at("services").at("rabbitmq") == "down");
  CHECK(ask({"kubernetes.health", nlohmann::json::object()}, look, Facts{}).error.has_value());
}

namespace {

std::string ended(const std::string& name, const std::string& how, const std::string& when) {
  return R"({"metadata":{"name":")" + name + R"("},"status":{"conditions":[{"type":")" + how +
         R"(","status":"True","lastTransitionTime":")" + when + R"("}]}})";
}

/// The newest job that ended wrote `log`.
Observation of_job(const std::string& probe, const std::string& how, const std::string& log) {
  FakeSystem machine;
  CommandResult jobs;
  jobs.output = R"({"items":[)" + ended("old", "Complete", "2026-11-01T00:00:00Z") + "," +
                ended("new", how, "2026-11-26T02:00:00Z") + R"(,{"metadata":{"name":"runs"},"status":{"active":1}}]})";
  machine.on({"kubectl", "get", "jobs"}, jobs);
  CommandResult written;
  written.output = log;
  machine.on({"kubectl", "logs", "job/new"}, written);
  Look look({machine, {}, {}, Secret("key"), {}});
  return ask({probe, nlohmann::json::object()}, look, Facts{});
}

}  // namespace

TEST_CASE("jobs that ended: a test job's output, k6's thresholds, the sandbox's tests") {
  const auto job = of_job("kubernetes.job", "Complete", "queued\nrunning\n42\n\n");
  CHECK(job.value == nlohmann::json{{"state", "SUCCESS"}, {"output", "42"}, {"finished", "2026-11-26T02:00:00Z"}});
  CHECK(of_job("kubernetes.job", "Failed", "Traceback\n").value.at("state") == "FAILURE");
  const std::string summary =
      R"({"metrics":{"http_req_duration":{"type":"trend","thresholds":{"p(95)<500":{"ok":true}}},)"
      R"("http_req_failed":{"thresholds":{"rate<0.01":{"ok":false}}},"vus":{"values":{"max":1000}}}})";
  const auto load = of_job("kubernetes.load", "Failed", "running (6m00s)\n" + summary + "\n");
  CHECK(load.value.at("thresholds") == 2);
  CHECK(load.value.at("thresholds_failed") == 1);
  CHECK(of_job("kubernetes.load", "Complete", R"({"metrics":{"vus":{"values":{}}}})").error.has_value());
  CHECK(of_job("kubernetes.load", "Complete", "running (6m00s)\n").error.has_value());
  const auto sandbox = of_job("kubernetes.sandbox", "Complete", "collected\n===== 22 passed in 3.20s =====\n");
  CHECK(sandbox.value.at("passed") == 22);
  CHECK(sandbox.value.at("failed") == 0);
  const auto broken = of_job("kubernetes.sandbox", "Failed", "1 failed, 21 passed in 3.20s\n");
  CHECK(broken.value.at("passed") == 21);
  CHECK(broken.value.at("failed") == 1);
  CHECK(of_job("kubernetes.sandbox", "Failed", "22 passed\nerror: killed\n").value.at("failed") == 1);
  CHECK(of_job("kubernetes.sandbox", "Complete", " passed\n").error.has_value());
  CHECK(seen("kubernetes.job", "jobs", "[]").error.has_value());
}

TEST_CASE("a cluster that can't be asked is no value") {
  for (const auto* probe :
       {"kubernetes.pods", "kubernetes.deployments", "kubernetes.disruption", "kubernetes.autoscaling",
        "kubernetes.health", "kubernetes.job", "kubernetes.load", "kubernetes.sandbox"}) {
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
      const auto found = ask({probe, {{"service", "api:80"}}}, look, Facts{});
      // What a service says of itself is as it is; the row asks for names in it.
      const bool as_it_is = found.probe == "kubernetes.health" && answer.output == other.output;
      CHECK(found.error.has_value() != as_it_is);
    }
  }
  CHECK(seen("kubernetes.pods", "pods", "[]").error.has_value());
}
