// SPDX-License-Identifier: Apache-2.0
// caddy: {running: configuration in force (summary), file: what the Caddyfile means (summary), same, problem,
// exe_deleted,
//         pid}; a summary is {admin, servers: {name: {listen, logs, handlers: [{handler, matched, dials,
//         read_timeout_s, write_timeout_s, header_timeout_s, flush_interval, deleted, set}]}}}
// The file goes through Caddy's own adapter: only it knows what its directives mean.
#include <fmt/format.h>

#include "core/checks/families.h"
#include "core/checks/fetch.h"
#include "core/model/json.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr const char* kFile = "/etc/caddy/Caddyfile";
constexpr int kDeepest = 32;

json member(const json& object, const char* key, json fallback = nullptr) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return !object.is_object() || found == object.end() ? fallback : *found;
}

/// Caddy writes durations as nanoseconds.
json seconds_of(const json& nanoseconds) {
  return nanoseconds.is_number() ? json(nanoseconds.get<double>() / 1e9) : json(nullptr);
}

json describe(const json& handler, bool matched) {
  json out{{"handler", member(handler, "handler", "")}, {"matched", matched}};
  if (out["handler"] == "reverse_proxy") {
    out["dials"] = json::array();
    for (const auto& upstream : member(handler, "upstreams", json::array()))
      out["dials"].push_back(member(upstream, "dial", ""));
    const auto transport = member(handler, "transport", json::object());
    out["read_timeout_s"] = seconds_of(member(transport, "read_timeout"));
    out["write_timeout_s"] = seconds_of(member(transport, "write_timeout"));
    out["header_timeout_s"] = seconds_of(member(transport, "response_header_timeout"));
    out["flush_interval"] = member(handler, "flush_interval");
  }
  if (out["handler"] == "headers") {
    const auto response = member(handler, "response", json::object());
    out["deleted"] = member(response, "delete", json::array());
    out["set"] = member(response, "set", json::object());
  }
  return out;
}

/// Handlers in the order a request meets them. Matching by host alone is no condition: that is the site.
void collect(const json& routes, bool matched, int depth, json& out) {
  if (depth > kDeepest || !routes.is_array()) return;
  for (const auto& route : routes) {
    bool narrow = matched;
    for (const auto& matcher : member(route, "match", json::array())) {
      for (const auto& [key, value] : matcher.items()) narrow = narrow || key != "host";
    }
    for (const auto& handler : member(route, "handle", json::array())) {
      if (member(handler, "handler", "") == "subroute") {
        collect(member(handler, "routes", json::array()), narrow, depth + 1, out);
      } else {
        out.push_back(describe(handler, narrow));
      }
    }
  }
}

json summary_of(const json& config) {
  json out{{"admin", member(member(config, "admin", json::object()), "listen", "")}, {"servers", json::object()}};
  const auto http = member(member(config, "apps", json::object()), "http", json::object());
  const auto servers = member(http, "servers", json::object());
  for (const auto& [name, server] : servers.items()) {
    auto& entry = out["servers"][name] = {{"listen", member(server, "listen", json::array())},
                                          {"logs", !member(server, "logs").is_null()},
                                          {"handlers", json::array()}};
    collect(member(server, "routes", json::array()), false, 0, entry["handlers"]);
  }
  return out;
}

Result<json> adapted(Reader& machine, std::string& problem) {
  CommandLine command;
  command.argv = {"caddy", "adapt", "--config", kFile, "--adapter", "caddyfile"};
  command.timeout = std::chrono::seconds(10);
  SENTINEL_TRY(const auto result, machine.query(command));
  if (result.status == 127) return Error("probe.absent", "caddy is not installed");
  if (result.status != 0) {
    problem = result.reason();
    return json(nullptr);
  }
  return parse_json(result.output);
}

Result<Answer> look_at_caddy(const Inquiry& inquiry) {
  std::string problem;
  SENTINEL_TRY(const auto file, adapted(inquiry.machine(), problem));
  SENTINEL_TRY(const auto running, fetch_json("http://localhost:2019/config/"));
  return Answer{{{"problem", problem},
                 {"same", running == file},
                 {"running", summary_of(running)},
                 {"file", file.is_null() ? json(nullptr) : summary_of(file)}},
                "localhost:2019/config/, caddy adapt"};
}

}  // namespace

HostProbes caddy_probes() {
  return {{"caddy", look_at_caddy}};
}

}  // namespace sentinel
