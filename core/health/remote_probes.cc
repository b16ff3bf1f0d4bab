// SPDX-License-Identifier: Apache-2.0
// Answers are input from somewhere else: each field is looked for, and one that isn't there is a failure with its name.
#include "core/health/remote_probes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/model/json.h"

namespace sentinel {
namespace {

Error unhealthy(std::string what) {
  return Error("health.unhealthy", std::move(what));
}

Error garbled(std::string what) {
  return Error("health.garbled", std::move(what));
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      out.append(fmt::format("%{:02X}", static_cast<unsigned char>(c)));
    }
  }
  return out;
}

bool holds(double seen, Comparison comparison, double value) {
  switch (comparison) {
    case Comparison::kBelow: return seen < value;
    case Comparison::kAtMost: return seen <= value;
    case Comparison::kAbove: return seen > value;
    case Comparison::kAtLeast: return seen >= value;
    case Comparison::kEqual: return seen == value;
  }
  return false;
}

/// A text member at a path of names; empty when there is none.
std::string text_at(const nlohmann::json& json, const std::vector<std::string>& path) {
  const nlohmann::json* at = &json;
  for (const auto& name : path) {
    if (!at->is_object()) return {};
    const auto found = at->find(name);
    if (found == at->end()) return {};
    at = &*found;
  }
  return at->is_string() ? at->get<std::string>() : std::string();
}

/// The number in a sample [time, "value"].
Result<double> sample_value(const nlohmann::json& sample) {
  if (!sample.is_array() || sample.size() != 2 || !sample[1].is_string()) return garbled("a sample without its value");
  const auto text = sample[1].get<std::string>();
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return garbled("a sample that is no number");
  if (std::isnan(value)) return unhealthy("the query gives NaN");
  return value;
}

}  // namespace

HttpRequest request_of(const HttpProbe& probe) {
  return {probe.url, probe.socket, probe.method, probe.headers, probe.body, probe.ca_file};
}

HttpRequest request_of(const ContainerProbe& probe) {
  HttpRequest out;
  out.url = fmt::format("http://docker/containers/{}/json", percent_encoded(probe.container));
  out.socket = probe.socket;
  return out;
}

HttpRequest request_of(const PrometheusProbe& probe) {
  HttpRequest out;
  const std::string_view slash = probe.url.ends_with('/') ? "" : "/";
  out.url = fmt::format("{}{}api/v1/query?query={}", probe.url, slash, percent_encoded(probe.query));
  return out;
}

Result<std::string> read_answer(const HttpProbe& probe, const HttpReply& reply) {
  const bool good = probe.statuses.empty()
                        ? reply.status >= 200 && reply.status <= 299
                        : std::find(probe.statuses.begin(), probe.statuses.end(), reply.status) != probe.statuses.end();
  const std::string seen = fmt::format("status {}", reply.status);
  if (!good) return unhealthy(seen);
  if (reply.body.find(probe.contains) == std::string::npos) {
    return unhealthy(fmt::format("{}, but its body doesn't hold '{}'", seen, probe.contains));
  }
  return seen;
}

Result<std::string> read_answer(const ContainerProbe& probe, const HttpReply& reply) {
  if (reply.status == 404) return unhealthy(fmt::format("there is no container {}", probe.container));
  if (reply.status != 200) return unhealthy(fmt::format("Docker answers with status {}", reply.status));
  const auto json = parse_json(reply.body);
  if (!json.ok()) return garbled("Docker's answer is no JSON");
  const std::string state = text_at(*json, {"State", "Status"});
  if (state.empty()) return garbled("Docker's answer has no State.Status");
  if (state != "running") return unhealthy(fmt::format("container {} is {}", probe.container, state));
  const std::string health = text_at(*json, {"State", "Health", "Status"});
  if (health.empty() || health == "none") {
    return unhealthy(fmt::format("container {} has no health check", probe.container));
  }
  const std::string seen = fmt::format("container {} is {}", probe.container, health);
  if (health != "healthy") return unhealthy(seen);
  return seen;
}

Result<std::string> read_answer(const PrometheusProbe& probe, const HttpReply& reply) {
  const auto json = parse_json(reply.body);
  if (!json.ok()) return garbled(fmt::format("status {} and no JSON", reply.status));
  if (reply.status != 200 || text_at(*json, {"status"}) != "success") {
    return unhealthy(fmt::format("the query failed with status {}: {}", reply.status, text_at(*json, {"error"})));
  }
  const nlohmann::json data = json->value("data", nlohmann::json::object());
  const std::string type = text_at(data, {"resultType"});
  const nlohmann::json result = data.is_object() ? data.value("result", nlohmann::json()) : nlohmann::json();
  std::vector<nlohmann::json> samples;
  if (type == "scalar") {
    samples.push_back(result);
  } else if (type == "vector" && result.is_array()) {
    for (const auto& series : result) {
      samples.push_back(series.is_object() ? series.value("value", nlohmann::json()) : nlohmann::json());
    }
  } else {
    return garbled(type.empty() ? "the query gives no result"
                                : fmt::format("the query gives a {}, not a number", type));
  }
  if (samples.empty()) return unhealthy("the query gives no data");
  std::string seen;
  for (const auto& sample : samples) {
    SENTINEL_TRY(const double value, sample_value(sample));
    seen = fmt::format("{} {} {}", value, sign_of(probe.comparison), probe.value);
    if (!holds(value, probe.comparison, probe.value)) return unhealthy("it is not so that " + seen);
  }
  return seen;
}

}  // namespace sentinel
