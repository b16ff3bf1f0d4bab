// SPDX-License-Identifier: Apache-2.0
// log-aggregation: {healthy, newest: when the newest line of this host is from (RFC 3339, UTC)} of Elasticsearch or
// Loki (order: kind, url, token_file). No line is written to be found again, because an audit leaves nothing behind:
// every host logs by itself all the time, and its newest line over there tells as much.
#include <fmt/format.h>

#include <charconv>

#include "core/base/clock.h"
#include "core/checks/families.h"
#include "core/checks/fetch.h"

namespace sentinel {
namespace {

using nlohmann::json;

Result<json> ask_elasticsearch(const std::string& base, const std::string& token, const std::string& host) {
  SENTINEL_TRY(const auto health, fetch_json(request_with(token, base + "/_cluster/health")));
  const auto newest = fmt::format(
      "{}/_search?q=host.name:%22{}%22&sort=@timestamp:desc&size=1&_source_includes=@timestamp", base, host);
  SENTINEL_TRY(const auto found, fetch_json(request_with(token, newest)));
  const auto& hits = found.at("hits").at("hits");
  const auto status = health.at("status").get<std::string>();
  return json{{"healthy", status == "green" || status == "yellow"},
              {"newest", hits.empty() ? json("") : hits.at(0).at("_source").at("@timestamp")}};
}

/// "1764244800000000000" as Loki writes times.
std::string time_of(const std::string& nanoseconds) {
  std::int64_t value = 0;
  const auto* end = nanoseconds.data() + nanoseconds.size();
  if (std::from_chars(nanoseconds.data(), end, value).ptr != end || nanoseconds.empty()) return "";
  return to_rfc3339(std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds(value))));
}

Result<json> ask_loki(const std::string& base, const std::string& token, const std::string& host) {
  SENTINEL_TRY(const auto ready, fetch_status(request_with(token, base + "/ready")));
  const auto newest = fmt::format(
      "{}/loki/api/v1/query_range?query=%7Bhost=%22{}%22%7D&since=24h&limit=1&direction=backward", base, host);
  SENTINEL_TRY(const auto found, fetch_json(request_with(token, newest)));
  std::string time;
  for (const auto& stream : found.at("data").at("result"))
    time = std::max(time, time_of(stream.at("values").at(0).at(0).get<std::string>()));
  return json{{"healthy", ready == 200}, {"newest", time}};
}

Result<Answer> look_at_logs_elsewhere(const Inquiry& inquiry) {
  const auto base = inquiry.text("url");
  const auto kind = inquiry.text("kind");
  if (base.empty()) return Error("probe.order", "no place where logs are collected was named");
  std::string token;
  if (const auto file = inquiry.text("token_file"); !file.empty()) {
    SENTINEL_TRY(token, inquiry.machine().read_file(file));
    token.erase(token.find_last_not_of(" \n") + 1);
  }
  const auto& host = inquiry.facts.hostname;
  if (kind == "elasticsearch") {
    SENTINEL_TRY(auto value, ask_elasticsearch(base, token, host));
    return Answer{std::move(value), base};
  }
  if (kind != "loki") return Error("probe.order", fmt::format("nobody knows how to ask '{}'", kind));
  SENTINEL_TRY(auto value, ask_loki(base, token, host));
  return Answer{std::move(value), base};
}

}  // namespace

HostProbes log_aggregation_probes() {
  return {{"log-aggregation", look_at_logs_elsewhere}};
}

}  // namespace sentinel
