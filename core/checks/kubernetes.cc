// SPDX-License-Identifier: Apache-2.0
// The cluster, as root's kubectl on the host sees it (https://kubernetes.io/docs/reference/kubernetes-api/); namespace:
// of the order, or kubectl's own.
// kubernetes.pods:        {pods, not_ready, waiting: ["pod: reason"], restarts}; pods that ended well don't count
// kubernetes.deployments: {ready: {name: replicas}}
// kubernetes.disruption:  {budgets, allowed: the fewest any budget lets go, covered: the fewest pods any of them
// covers} kubernetes.autoscaling: {autoscalers, scaling_active: all of them}
#include <fmt/format.h>

#include <algorithm>

#include "core/checks/families.h"
#include "core/model/json.h"

namespace sentinel {
namespace {

using nlohmann::json;

/// The items of `kubectl get KIND`.
Result<json> items(const Inquiry& inquiry, const std::string& kind) {
  CommandLine command;
  command.argv = {"kubectl", "get", kind, "--output=json", "--request-timeout=5s"};
  if (const auto space = inquiry.text("namespace"); !space.empty()) command.argv.push_back("--namespace=" + space);
  SENTINEL_TRY(const auto result, inquiry.machine().query(command));
  if (result.status == 127) return Error("probe.absent", "this host has no kubectl");
  if (result.status != 0) return Error("probe.failed", fmt::format("kubectl get {}: {}", kind, result.reason()));
  auto list = parse_json(result.output);
  if (!list.ok()) return Error("probe.failed", fmt::format("kubectl get {}: {}", kind, list.error().message));
  return list->at("items");
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

}  // namespace

HostProbes kubernetes_probes() {
  return {{"kubernetes.autoscaling", look_at_autoscalers},
          {"kubernetes.deployments", look_at_deployments},
          {"kubernetes.disruption", look_at_budgets},
          {"kubernetes.pods", look_at_pods}};
}

}  // namespace sentinel
