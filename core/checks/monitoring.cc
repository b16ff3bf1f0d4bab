// SPDX-License-Identifier: Apache-2.0
// prometheus:    {targets: [{job, health, error, last_scrape, url}], retention, listen, rules: [{name, health, state}],
//                 alertmanagers: [URL], at_boot: {jobs, alerts, retention, alertmanagers: [host:port]} as its files
//                 say} (https://prometheus.io/docs/prometheus/latest/querying/api/)
// node.exporter: {nodename, root_filesystem}
#include <fmt/format.h>

#include "core/checks/families.h"
#include "core/checks/fetch.h"
#include "core/checks/prometheus_files.h"

namespace sentinel {
namespace {

using nlohmann::json;

Result<Answer> look_at_prometheus(const Inquiry& inquiry) {
  const std::string base = inquiry.text("url", "http://127.0.0.1:9090");
  json out;
  SENTINEL_TRY(const auto targets, fetch_json(base + "/api/v1/targets?state=active"));
  out["targets"] = json::array();
  for (const auto& target : targets.at("data").at("activeTargets")) {
    out["targets"].push_back({{"job", target.at("labels").at("job")},
                              {"health", target.at("health")},
                              {"error", target.at("lastError")},
                              {"last_scrape", target.at("lastScrape")},
                              {"url", target.at("scrapeUrl")}});
  }
  SENTINEL_TRY(const auto flags, fetch_json(base + "/api/v1/status/flags"));
  out["retention"] = flags.at("data").at("storage.tsdb.retention.time");
  out["listen"] = flags.at("data").at("web.listen-address");
  SENTINEL_TRY(const auto rules, fetch_json(base + "/api/v1/rules"));
  out["rules"] = json::array();
  for (const auto& group : rules.at("data").at("groups")) {
    for (const auto& rule : group.at("rules")) {
      if (rule.at("type") != "alerting") continue;
      out["rules"].push_back({{"name", rule.at("name")}, {"health", rule.at("health")}, {"state", rule.at("state")}});
    }
  }
  SENTINEL_TRY(const auto managers, fetch_json(base + "/api/v1/alertmanagers"));
  out["alertmanagers"] = json::array();
  for (const auto& manager : managers.at("data").at("activeAlertmanagers"))
    out["alertmanagers"].push_back(manager.at("url"));
  SENTINEL_TRY(out["at_boot"], prometheus_files(inquiry.machine()));
  return Answer{std::move(out), base};
}

/// The value of a label in the first sample of a metric.
std::string label_of(const std::string& metrics, const std::string& metric, const std::string& label) {
  const auto sample = metrics.find("\n" + metric + "{");
  if (sample == std::string::npos) return {};
  const auto line = metrics.substr(sample + 1, metrics.find('\n', sample + 1) - sample - 1);
  const auto at = line.find(label + "=\"");
  if (at == std::string::npos) return {};
  const auto begin = at + label.size() + 2;
  return line.substr(begin, line.find('"', begin) - begin);
}

Result<Answer> look_at_exporter(const Inquiry& inquiry) {
  const std::string url = inquiry.text("url", "http://127.0.0.1:9100") + "/metrics";
  SENTINEL_TRY(const auto text, fetch_text(url));
  return Answer{{{"nodename", label_of(text, "node_uname_info", "nodename")},
                 {"root_filesystem", text.find("mountpoint=\"/\"") != std::string::npos},
                 {"hostname", inquiry.facts.hostname}},
                url};
}

}  // namespace

HostProbes monitoring_probes() {
  return {{"node.exporter", look_at_exporter}, {"prometheus", look_at_prometheus}};
}

}  // namespace sentinel
