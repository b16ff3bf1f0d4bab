// SPDX-License-Identifier: Apache-2.0
#include "core/checks/probe.h"

#include <fmt/format.h>

#include <chrono>

#include "core/checks/families.h"

namespace sentinel {

std::vector<std::string> Inquiry::list(const std::string& key) const {
  const auto found = with.find(key);
  std::vector<std::string> out;
  if (found == with.end() || !found->is_array()) return out;
  for (const auto& item : *found) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

std::string Inquiry::text(const std::string& key, const std::string& fallback) const {
  const auto found = with.find(key);
  return found != with.end() && found->is_string() ? found->get<std::string>() : fallback;
}

const std::map<std::string, HostProbe>& probes() {
  static const HostProbes all = [] {
    HostProbes out;
    for (const auto& family : {app_probes(), apt_probes(), caddy_probes(), certificate_probes(), docker_probes(),
                               fail2ban_probes(), firewall_probes(), grafana_probes(), host_probes(),
                               kubernetes_probes(), log_aggregation_probes(), monitoring_probes(), mtls_probes(),
                               program_probes(), redis_probes(), sshd_probes(), sysctl_probes(), unit_probes()}) {
      out.insert(family.begin(), family.end());
    }
    return out;
  }();
  return all;
}

namespace {

/// Services answer JSON of shapes that change between versions: one that lacks a field is an error, not the end.
Result<Answer> run(const HostProbe& probe, const Inquiry& inquiry) {
  try {
    return probe(inquiry);
  } catch (const nlohmann::json::exception& failure) {
    return Error("probe.failed", std::string("an answer has another shape than expected: ") + failure.what());
  }
}

}  // namespace

Observation ask(const ProbeOrder& order, Look& look, const Facts& facts) {
  using std::chrono::steady_clock;
  Observation out;
  out.probe = order.probe;
  const auto found = probes().find(order.probe);
  if (found == probes().end()) {
    out.error = Error("probe.unknown", fmt::format("this agent knows no probe '{}'", order.probe));
    return out;
  }
  const auto began = steady_clock::now();
  auto answer = run(found->second, {look, facts, order.with});
  out.duration_us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - began).count());
  if (answer.ok()) {
    out.value = std::move(answer->value);
    out.origin = std::move(answer->origin);
  } else {
    out.error = std::move(answer).error();
  }
  return out;
}

}  // namespace sentinel
