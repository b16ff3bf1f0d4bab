// SPDX-License-Identifier: Apache-2.0
// caddy: {running: configuration in force (summary), null when nobody answers, file: what the Caddyfile means, same,
//         problem}; a summary is {admin, servers: {name: {listen, logs, log_format, handlers: [{handler, api: it meets
//         every request to the API, dials, read_timeout_s, write_timeout_s, header_timeout_s, flush_interval, deleted,
//         set}]}}}
// The file goes through Caddy's own adapter: only it knows what its directives mean.
#include <fmt/format.h>

#include <algorithm>

#include "core/checks/families.h"
#include "core/checks/fetch.h"
#include "core/model/json.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr const char* kFile = "/etc/caddy/Caddyfile";
constexpr const char* kApi = "/v1/chat/completions";
constexpr int kDeepest = 32;

json member(const json& object, const char* key, json fallback = nullptr) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return !object.is_object() || found == object.end() ? fallback : *found;
}

/// Caddy writes durations as nanoseconds.
json seconds_of(const json& nanoseconds) {
  return nanoseconds.is_number() ? json(nanoseconds.get<double>() / 1e9) : json(nullptr);
}

json describe(const json& handler, bool api) {
  json out{{"handler", member(handler, "handler", "")}, {"api", api}};
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

/// Caddy's path patterns: no case, and a `*` at the end for anything (https://caddyserver.com/docs/json/, matcher
/// path).
bool covers_api(const json& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [](const json& pattern) {
    auto text = pattern.is_string() ? pattern.get<std::string>() : std::string();
    if (!text.ends_with('*')) return text == kApi;
    text.pop_back();
    return std::string_view(kApi).starts_with(text);
  });
}

/// Whether a route meets every request to the API: no condition, or a set of host and path alone that covers it.
bool meets_api(const json& route) {
  const auto sets = member(route, "match", json::array());
  return sets.empty() || std::any_of(sets.begin(), sets.end(), [](const json& set) {
           const auto known = [](const auto& item) {
             return item.key() == "host" || (item.key() == "path" && covers_api(item.value()));
           };
           const auto items = set.items();
           return std::all_of(items.begin(), items.end(), known);
         });
}

/// Handlers in the order a request meets them. Matching by host is no condition: that is the site.
void collect(const json& routes, bool api, int depth, json& out) {
  if (depth > kDeepest || !routes.is_array()) return;
  for (const auto& route : routes) {
    const bool here = api && meets_api(route);
    for (const auto& handler : member(route, "handle", json::array())) {
      if (member(handler, "handler", "") == "subroute") {
        collect(member(handler, "routes", json::array()), here, depth + 1, out);
      } else {
        out.push_back(describe(handler, here));
      }
    }
  }
}

/// The encoder of a server's access log; empty: the default, which is JSON.
std::string log_format_of(const json& config, const json& server) {
  const auto name = member(member(server, "logs"), "default_logger_name", "default").get<std::string>();
  const auto logs = member(member(config, "logging"), "logs");
  return member(member(member(logs, name.c_str()), "encoder"), "format", "").get<std::string>();
}

json summary_of(const json& config) {
  json out{{"admin", member(member(config, "admin", json::object()), "listen", "")}, {"servers", json::object()}};
  const auto http = member(member(config, "apps", json::object()), "http", json::object());
  const auto servers = member(http, "servers", json::object());
  for (const auto& [name, server] : servers.items()) {
    auto& entry = out["servers"][name] = {{"listen", member(server, "listen", json::array())},
                                          {"logs", !member(server, "logs").is_null()},
                                          {"log_format", log_format_of(config, server)},
                                          {"handlers", json::array()}};
    collect(member(server, "routes", json::array()), true, 0, entry["handlers"]);
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
  const auto running = fetch_json("http://localhost:2019/config/");
  if (!running.ok() && running.error().code != "probe.absent") return running.error();
  return Answer{{{"problem", problem},
                 {"same", running.ok() && *running == file},
                 {"running", running.ok() ? summary_of(*running) : json(nullptr)},
                 {"file", file.is_null() ? json(nullptr) : summary_of(file)}},
                "localhost:2019/config/, caddy adapt"};
}

}  // namespace

HostProbes caddy_probes() {
  return {{"caddy", look_at_caddy}};
}

}  // namespace sentinel
