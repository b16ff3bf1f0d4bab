// SPDX-License-Identifier: Apache-2.0
// grafana: {version, database, anonymous: status without a login, default_login: status with one it comes with (order:
//           logins ["user:password"]),
//           sign_up, datasources, datasources_failing, dashboards, queries, frames}
// (https://grafana.com/docs/grafana/latest/developers/http_api/). All but the first four needs a token that may read;
// it is the host's and stays there (token_file). frames: answers with a value in the last five minutes to what the
// dashboards themselves ask.
#include <fmt/format.h>

#include "core/base/digest.h"
#include "core/checks/families.h"
#include "core/checks/fetch.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr std::size_t kMostDashboards = 20;
constexpr int kMostQueries = 20;

class Grafana {
 public:
  Grafana(std::string base, std::string token) : base_(std::move(base)), token_(std::move(token)) {}

  HttpRequest request(const std::string& path) const { return request_with(token_, base_ + path); }

  Result<json> get(const std::string& path) const { return fetch_json(request(path)); }

  /// What one of a dashboard's queries says of the last five minutes.
  Result<json> run(json query) const {
    query.update({{"refId", "A"}, {"intervalMs", 15000}, {"maxDataPoints", 100}});
    auto out = request("/api/ds/query");
    out.method = "POST";
    out.headers["content-type"] = "application/json";
    out.body = json{{"from", "now-5m"}, {"to", "now"}, {"queries", {std::move(query)}}}.dump();
    return fetch_json(out);
  }

 private:
  std::string base_;
  std::string token_;
};

/// The status of the first login that isn't refused, else of the last. One try each: Grafana bans a user after five.
Result<unsigned> try_logins(const std::string& base, std::vector<std::string> logins) {
  if (logins.empty()) logins.emplace_back("admin:admin");
  unsigned status = 0;
  for (const auto& login : logins) {
    auto request = request_with({}, base + "/api/user");
    request.headers["authorization"] = "Basic " + base64_encode(login);
    SENTINEL_TRY(status, fetch_status(request));
    if (status != 401 && status != 403) return status;
  }
  return status;
}

bool has_values(const json& frame) {
  for (const auto& column : frame.at("data").at("values")) {
    if (!column.empty()) return true;
  }
  return false;
}

Result<void> ask_dashboard(const Grafana& grafana, const std::string& uid, json& out) {
  SENTINEL_TRY(const auto found, grafana.get("/api/dashboards/uid/" + uid));
  for (const auto& panel : found.at("dashboard").value("panels", json::array())) {
    for (const auto& target : panel.value("targets", json::array())) {
      const auto expression = target.value("expr", std::string());
      // A variable has its value on a screen only.
      const bool whole = !expression.empty() && expression.find('$') == std::string::npos;
      if (!whole || out["queries"].get<int>() >= kMostQueries) continue;
      out["queries"] = out["queries"].get<int>() + 1;
      const auto source = target.contains("datasource") ? target.at("datasource") : panel.at("datasource");
      SENTINEL_TRY(const auto answer, grafana.run({{"expr", expression}, {"datasource", source}}));
      for (const auto& frame : answer.at("results").at("A").value("frames", json::array()))
        out["frames"] = out["frames"].get<int>() + (has_values(frame) ? 1 : 0);
    }
  }
  return {};
}

Result<Answer> look_at_grafana(const Inquiry& inquiry) {
  const auto base = inquiry.text("url", "http://127.0.0.1:3000");
  SENTINEL_TRY(const auto health, fetch_json(base + "/api/health"));
  json out{{"version", health.at("version")}, {"database", health.at("database")}};
  SENTINEL_TRY(out["anonymous"], fetch_status(request_with({}, base + "/api/search")));
  SENTINEL_TRY(out["default_login"], try_logins(base, inquiry.list("logins")));
  const auto file = inquiry.text("token_file");
  if (file.empty()) return Answer{std::move(out), base};
  SENTINEL_TRY(auto token, inquiry.machine().read_file(file));
  token.erase(token.find_last_not_of(" \n") + 1);
  const Grafana grafana(base, std::move(token));
  SENTINEL_TRY(const auto settings, grafana.get("/api/frontend/settings"));
  out["sign_up"] = !settings.at("disableUserSignUp").get<bool>();
  SENTINEL_TRY(const auto sources, grafana.get("/api/datasources"));
  out["datasources"] = sources.size();
  int failing = 0;
  for (const auto& source : sources) {
    const auto path = fmt::format("/api/datasources/uid/{}/health", source.at("uid").get<std::string>());
    const auto state = grafana.get(path);
    failing += state.ok() && state->value("status", "") == "OK" ? 0 : 1;
  }
  out["datasources_failing"] = failing;
  SENTINEL_TRY(const auto dashboards, grafana.get("/api/search?type=dash-db"));
  out["dashboards"] = dashboards.size();
  out["queries"] = 0;
  out["frames"] = 0;
  for (std::size_t i = 0; i < std::min(dashboards.size(), kMostDashboards); ++i)
    SENTINEL_CHECK(ask_dashboard(grafana, dashboards.at(i).at("uid").get<std::string>(), out));
  return Answer{std::move(out), base};
}

}  // namespace

HostProbes grafana_probes() {
  return {{"grafana", look_at_grafana}};
}

}  // namespace sentinel
