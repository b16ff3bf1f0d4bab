// SPDX-License-Identifier: Apache-2.0
// The cluster, as root's kubectl on the host sees it (https://kubernetes.io/docs/reference/kubernetes-api/); namespace:
// of the order, or kubectl's own.
// kubernetes.pods:        {pods, not_ready, waiting: ["pod: reason"], restarts}; pods that ended well don't count
// kubernetes.deployments: {ready: {name: replicas}}
// kubernetes.disruption:  {budgets, allowed: the fewest any budget lets go, covered: the fewest pods any of them
// covers}
// kubernetes.autoscaling: {autoscalers, scaling_active: all of them}
// kubernetes.health:      what the API of a service says (order: service "api:8080", path)
// kubernetes.job, .load, .sandbox: {finished: RFC 3339, …} of the newest job that ended (order: selector); the cluster
// runs them, an audit starts nothing. job: {state: SUCCESS | FAILURE, output: its last line}; load: {thresholds,
// thresholds_failed} of k6's summary in JSON; sandbox: {passed, failed}
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

#include "core/checks/families.h"
#include "core/model/json.h"

namespace sentinel {
namespace {

using nlohmann::json;

/// What kubectl says to these words.
Result<std::string> kubectl(const Inquiry& inquiry, const std::vector<std::string>& words) {
  CommandLine command;
  command.argv = {"kubectl"};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  command.argv.emplace_back("--request-timeout=5s");
  if (const auto space = inquiry.text("namespace"); !space.empty()) command.argv.push_back("--namespace=" + space);
  SENTINEL_TRY(auto result, inquiry.machine().query(command));
  if (result.status == 127) return Error("probe.absent", "this host has no kubectl");
  if (result.status != 0)
    return Error("probe.failed", fmt::format("kubectl {}: {}", fmt::join(words, " "), result.reason()));
  return std::move(result.output);
}

Result<json> kubectl_json(const Inquiry& inquiry, const std::vector<std::string>& words) {
  SENTINEL_TRY(const auto text, kubectl(inquiry, words));
  auto out = parse_json(text);
  if (!out.ok())
    return Error("probe.failed", fmt::format("kubectl {}: {}", fmt::join(words, " "), out.error().message));
  return out;
}

/// The items of `kubectl get KIND`.
Result<json> items(const Inquiry& inquiry, const std::string& kind, const std::string& selector = {}) {
  std::vector<std::string> words{"get", kind, "--output=json"};
  if (!selector.empty()) words.push_back("--selector=" + selector);
  SENTINEL_TRY(const auto list, kubectl_json(inquiry, words));
  return list.at("items");
}

bool is_true(const json& status, const std::string& condition) {
  if (!status.contains("conditions")) return false;
  const auto& conditions = status.at("conditions");
  return std::any_of(conditions.begin(), conditions.end(),
                     [&](const json& each) { return each.at("type") == condition && each.at("status") == "True"; });
}

Result<Answer> look_at_pods(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto pods, items(inquiry, "pods"));
  json out{{"pods", 0}, {"not_ready", 0}, {"waiting", json::array()}, {"restarts", 0}};
  for (const auto& pod : pods) {
    const auto& status = pod.at("status");
    if (status.at("phase") == "Succeeded") continue;
    out["pods"] = out["pods"].get<int>() + 1;
    if (!is_true(status, "Ready")) out["not_ready"] = out["not_ready"].get<int>() + 1;
    for (const auto& container : status.value("containerStatuses", json::array())) {
      out["restarts"] = out["restarts"].get<int>() + container.at("restartCount").get<int>();
      const auto& state = container.at("state");
      if (!state.contains("waiting")) continue;
      out["waiting"].push_back(pod.at("metadata").at("name").get<std::string>() + ": " +
                               state.at("waiting").value("reason", "waiting"));
    }
  }
  if (out["pods"] == 0) return Error("probe.absent", "there is no pod");
  return Answer{std::move(out), "kubectl get pods"};
}

Result<Answer> look_at_deployments(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto deployments, items(inquiry, "deployments"));
  auto ready = json::object();
  for (const auto& each : deployments)
    ready[each.at("metadata").at("name").get<std::string>()] = each.at("status").value("readyReplicas", 0);
  return Answer{{{"ready", std::move(ready)}}, "kubectl get deployments"};
}

Result<Answer> look_at_budgets(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto budgets, items(inquiry, "poddisruptionbudgets"));
  json out{{"budgets", budgets.size()}, {"allowed", 0}, {"covered", 0}};
  bool first = true;
  for (const auto& each : budgets) {
    const auto allowed = each.at("status").at("disruptionsAllowed").get<int>();
    const auto covered = each.at("status").at("expectedPods").get<int>();
    out["allowed"] = first ? allowed : std::min(allowed, out["allowed"].get<int>());
    out["covered"] = first ? covered : std::min(covered, out["covered"].get<int>());
    first = false;
  }
  return Answer{std::move(out), "kubectl get poddisruptionbudgets"};
}

Result<Answer> look_at_autoscalers(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto scalers, items(inquiry, "horizontalpodautoscalers.v2.autoscaling"));
  const bool active = !scalers.empty() && std::all_of(scalers.begin(), scalers.end(), [](const json& each) {
    return is_true(each.at("status"), "ScalingActive");
  });
  return Answer{{{"autoscalers", scalers.size()}, {"scaling_active", active}}, "kubectl get horizontalpodautoscalers"};
}

Result<Answer> look_at_health(const Inquiry& inquiry) {
  const auto service = inquiry.text("service");
  if (service.empty()) return Error("probe.order", "no service was named");
  const auto place = fmt::format("/api/v1/namespaces/{}/services/{}/proxy{}", inquiry.text("namespace", "default"),
                                 service, inquiry.text("path", "/api/v1/health"));
  SENTINEL_TRY(auto value, kubectl_json(inquiry, {"get", "--raw", place}));
  return Answer{std::move(value), place};
}

struct EndedJob {
  bool good = false;
  std::string finished;
  std::string log;
};

/// The newest job that has come to its end, with what it wrote.
Result<EndedJob> ended_job(const Inquiry& inquiry, const std::string& usual_selector) {
  SENTINEL_TRY(const auto jobs, items(inquiry, "jobs", inquiry.text("selector", usual_selector)));
  EndedJob out;
  std::string name;
  for (const auto& job : jobs) {
    for (const auto& condition : job.at("status").value("conditions", json::array())) {
      const auto type = condition.at("type").get<std::string>();
      if ((type != "Complete" && type != "Failed") || condition.at("status") != "True") continue;
      const auto when = condition.at("lastTransitionTime").get<std::string>();
      if (when <= out.finished) continue;
      out.finished = when;
      out.good = type == "Complete";
      name = job.at("metadata").at("name").get<std::string>();
    }
  }
  if (name.empty()) return Error("probe.absent", "no such job has come to its end");
  SENTINEL_TRY(out.log, kubectl(inquiry, {"logs", "job/" + name, "--tail=200"}));
  return out;
}

/// The last line with something in it that `wanted` accepts; empty: there is none.
template <typename Wanted>
std::string last_line(const std::string& log, Wanted wanted) {
  std::istringstream lines(log);
  std::string line;
  std::string out;
  while (std::getline(lines, line)) {
    if (!line.empty() && wanted(line)) out = line;
  }
  return out;
}

Result<Answer> look_at_job(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto job, ended_job(inquiry, "sentinel-check=job"));
  return Answer{{{"finished", job.finished},
                 {"state", job.good ? "SUCCESS" : "FAILURE"},
                 {"output", last_line(job.log, [](const std::string&) { return true; })}},
                "kubectl logs job"};
}

Result<Answer> look_at_load(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto job, ended_job(inquiry, "sentinel-check=load"));
  SENTINEL_TRY(const auto summary,
               parse_json(last_line(job.log, [](const std::string& line) { return line.starts_with('{'); })));
  int count = 0;
  int failed = 0;
  for (const auto& [metric, value] : summary.at("metrics").items()) {
    const auto thresholds = value.value("thresholds", json::object());
    for (const auto& [expression, threshold] : thresholds.items()) {
      ++count;
      failed += threshold.at("ok").get<bool>() ? 0 : 1;
    }
  }
  if (count == 0) return Error("probe.failed", "k6's summary has no threshold");
  return Answer{{{"finished", job.finished}, {"thresholds", count}, {"thresholds_failed", failed}}, "kubectl logs job"};
}

/// The number before a word, as test runners write it ("22 passed, 1 failed"); nothing when the word isn't there.
std::optional<int> number_before(const std::string& line, const std::string& word) {
  const auto at = line.find(" " + word);
  if (at == std::string::npos || at == 0) return std::nullopt;
  const auto begin = line.find_last_not_of("0123456789", at - 1);
  const auto first = begin == std::string::npos ? 0 : begin + 1;
  int value = 0;
  if (std::from_chars(line.data() + first, line.data() + at, value).ec != std::errc()) return std::nullopt;
  return value;
}

Result<Answer> look_at_sandbox(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto job, ended_job(inquiry, "sentinel-check=sandbox"));
  const auto line =
      last_line(job.log, [](const std::string& text) { return number_before(text, "passed").has_value(); });
  if (line.empty()) return Error("probe.failed", "the job's log tells of no test that passed");
  return Answer{{{"finished", job.finished},
                 {"passed", *number_before(line, "passed")},
                 {"failed", number_before(line, "failed").value_or(job.good ? 0 : 1)}},
                "kubectl logs job"};
}

}  // namespace

HostProbes kubernetes_probes() {
  return {{"kubernetes.autoscaling", look_at_autoscalers},
          {"kubernetes.health", look_at_health},
          {"kubernetes.job", look_at_job},
          {"kubernetes.load", look_at_load},
          {"kubernetes.sandbox", look_at_sandbox},
          {"kubernetes.deployments", look_at_deployments},
          {"kubernetes.disruption", look_at_budgets},
          {"kubernetes.pods", look_at_pods}};
}

}  // namespace sentinel
