// SPDX-License-Identifier: Apache-2.0
// Caddy, Docker, Redis and what monitors, judged on recorded answers, each trap by its name.
#include <catch2/catch.hpp>

#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

json unit(const std::string& name) {
  return {{name, {{"load", "loaded"}, {"active", "active"}, {"file_state", "enabled"}}}};
}

json proxy(const std::string& dial, const json& timeout) {
  return {{"handler", "reverse_proxy"},
          {"api", true},
          {"dials", {dial}},
          {"read_timeout_s", timeout},
          {"header_timeout_s", timeout},
          {"flush_interval", nullptr}};
}

json caddy(const std::vector<json>& proxies) {
  json handlers = json::array();
  handlers.push_back(
      json{{"handler", "headers"}, {"api", true}, {"deleted", {"Server"}}, {"set", {{"X-Frame-Options", {"DENY"}}}}});
  for (const auto& each : proxies) handlers.push_back(each);
  const json server{{"listen", {":443"}}, {"logs", true}, {"log_format", "json"}, {"handlers", handlers}};
  const json summary{{"admin", "localhost:2019"}, {"servers", {{"srv0", server}}}};
  return {{"problem", ""}, {"same", true}, {"running", summary}, {"file", summary}};
}

Finding site(const json& value) {
  return judged("caddy-site",
                {{"upstream", "127.0.0.1:8080"}, {"read_timeout_s", 300}, {"headers", {"X-Frame-Options"}}},
                record_of({{"caddy", value}}));
}

const json kDocker{{"min_engine", "20.10"}, {"min_compose", "1.29"}};
const json kSockets{{"sockets", {{{"process", "sshd"}, {"protocol", "tcp"}, {"address", "0.0.0.0"}, {"port", 22}}}}};

json engine(const std::string& version) {
  return {{"version", version},
          {"compose", {{"docker-compose", "1.29.2-3"}}},
          {"warnings", json::array()},
          {"storage", "overlay2"}};
}

json redis(const std::string& reply, const std::string& bind) {
  return {{"reply", reply},
          {"config", {{"bind", bind}, {"protected-mode", "yes"}, {"appendonly", "yes"}, {"appendfsync", "everysec"}}},
          {"from", "server"},
          {"at_boot", {{"bind", bind}, {"requirepass", 20}, {"appendonly", "yes"}}},
          {"password", nullptr},
          {"persistence", {{"aof_last_write_status", "ok"}}}};
}

const json kTold{{"alerts", {"HostDown"}}, {"alertmanagers", {"127.0.0.1:9093"}}};
const json kQueue{{"alerts", {"HostDown"}}, {"grafana_login", "admin:x"}};

json prometheus() {
  return {
      {"targets",
       {{{"job", "node"},
         {"health", "up"},
         {"error", ""},
         {"last_scrape", "2026-11-26T11:59:50.123456789Z"},
         {"url", "http://127.0.0.1:9100/metrics"}}}},
      {"retention", "15d"},
      {"alertmanagers", {"http://127.0.0.1:9093/api/v2/alerts"}},
      {"at_boot",
       {{"jobs", {"node"}}, {"alerts", {"HostDown"}}, {"retention", "360h"}, {"alertmanagers", {"127.0.0.1:9093"}}}},
      {"rules", {{{"name", "HostDown"}, {"health", "ok"}}}}};
}

[[maybe_unused]] const bool kPasses =
    passes("caddy-site", {{"upstream", "127.0.0.1:8080"}, {"read_timeout_s", 300}, {"headers", {"X-Frame-Options"}}},
           {{"caddy", caddy({proxy("127.0.0.1:8080", 300)})}}) &
    passes("docker-engine", kDocker,
           {{"units", unit("docker.service")}, {"sockets", kSockets}, {"docker.engine", engine("26.1")}}) &
    passes("redis-password", json::object(), {{"redis", redis("-NOAUTH", "127.0.0.1")}}) &
    passes("redis-persistence", json::object(),
           {{"units", unit("redis-server.service")}, {"redis", redis("-NOAUTH", "127.0.0.1")}}) &
    passes("prometheus-scrapes", {{"jobs", {"node"}}, {"retention", "15d"}},
           {{"units", unit("prometheus.service")}, {"prometheus", prometheus()}}) &
    passes("alerts-loaded", {{"alerts", {"HostDown"}}}, {{"prometheus", prometheus()}}) &
    passes("alerts-loaded", kTold, {{"prometheus", prometheus()}}) &
    passes("alerts-loaded", kQueue, {{"prometheus", prometheus()}, {"grafana", {{"default_login", 401}}}}) &
    passes("node-exporter", {{"root_filesystem", true}},
           {{"units", unit("prometheus-node-exporter.service")},
            {"node.exporter", {{"nodename", "web-1"}, {"root_filesystem", true}, {"hostname", "web-1"}}}}) &
    passes("loopback-only", {{"ports", {9090}}},
           {{"sockets",
             {{"sockets", {{{"protocol", "tcp"}, {"address", "::1"}, {"port", 9090}, {"process", "prometheus"}}}}}}});

}  // namespace

TEST_CASE("Caddy: the first reverse_proxy that matches answers; traps by name") {
  CHECK(site(caddy({proxy("127.0.0.1:8080", 300)})).verdict == Verdict::kPass);
  CHECK(site(caddy({proxy("127.0.0.1:8080", 30)})).verdict == Verdict::kFail);
  CHECK(site(caddy({proxy("127.0.0.1:9999", 300)})).verdict == Verdict::kFail);
  const auto two = site(caddy({proxy("127.0.0.1:8080", nullptr), proxy("127.0.0.1:8080", 300)}));
  CHECK(two.verdict == Verdict::kFail);
  CHECK(has_trap(two, "caddy-two-proxies"));
  const auto stale = site(with_value(caddy({proxy("127.0.0.1:8080", 300)}), "/same", false));
  CHECK(stale.persistence == Persistence::kRuntimeOnly);
  CHECK(has_trap(stale, "caddy-not-reloaded"));
  auto tomorrow = with_value(caddy({proxy("127.0.0.1:8080", 300)}), "/same", false);
  tomorrow["file"] = caddy({proxy("127.0.0.1:9999", 300)})["file"];
  CHECK(site(tomorrow).persistence == Persistence::kBootOnly);
  auto flushing = proxy("127.0.0.1:8080", 300);
  flushing["flush_interval"] = -1;
  // A Caddy that is off says nothing of what it runs; its file is still to be judged.
  auto off = with_value(with_value(caddy({proxy("127.0.0.1:8080", 300)}), "/same", false), "/running", nullptr);
  CHECK(site(off).verdict == Verdict::kUnknown);
  CHECK(site(with_value(off, "/problem", "unrecognized directive")).persistence == Persistence::kBoth);
  off["file"] = caddy({proxy("127.0.0.1:9999", 300)})["file"];
  CHECK(site(off).persistence == Persistence::kBoth);
  CHECK(has_trap(site(caddy({flushing})), "caddy-flush-interval"));
  CHECK(site(with_value(caddy({proxy("127.0.0.1:8080", 300)}), "/problem", "unrecognized directive")).persistence ==
        Persistence::kBootOnly);
}

TEST_CASE("Docker: versions compare as numbers") {
  const auto docker = [](const std::string& version, const json& compose) {
    return judged("docker-engine", kDocker,
                  record_of({{"units", unit("docker.service")},
                             {"sockets", kSockets},
                             {"docker.engine", with_value(engine(version), "/compose", compose)}}))
        .verdict;
  };
  CHECK(docker("20.10.24+dfsg1", {{"docker-compose", "1.29.2-3"}}) == Verdict::kPass);
  CHECK(docker("20.9.1", {{"docker-compose", "1.29.2-3"}}) == Verdict::kFail);
  CHECK(docker("26.1", json::object()) == Verdict::kFail);
  CHECK(docker("26.1", {{"docker-compose", "1.25.0"}}) == Verdict::kFail);
  CHECK(docker("unknown", {{"docker-compose", "1.29.2"}}) == Verdict::kUnknown);
}

TEST_CASE("Redis: NOAUTH passes; loopback without a password warns; open fails") {
  const auto judge_redis = [](const std::string& reply, const std::string& bind) {
    return judged("redis-password", json::object(), record_of({{"redis", redis(reply, bind)}})).verdict;
  };
  CHECK(judge_redis("-NOAUTH Authentication required.", "0.0.0.0") == Verdict::kPass);
  CHECK(judge_redis("+PONG", "127.0.0.1 -::1") == Verdict::kWarn);
  CHECK(judge_redis("+PONG", "0.0.0.0") == Verdict::kFail);
  CHECK(judge_redis("+PONG", "") == Verdict::kFail);
  CHECK(judge_redis("-LOADING", "127.0.0.1") == Verdict::kUnknown);
}

TEST_CASE("Redis: what it may lose, now and after a restart") {
  const auto keeps = [](const json& seen) {
    return judged("redis-persistence", json::object(),
                  record_of({{"units", unit("redis-server.service")}, {"redis", seen}}));
  };
  check_each(redis("-NOAUTH", "127.0.0.1"), keeps,
             {{"/config/appendonly", "yes", Verdict::kPass},
              {"/config/appendonly", "no", Verdict::kFail, Persistence::kRuntimeOnly},
              {"/at_boot/appendonly", "no", Verdict::kFail, Persistence::kBootOnly},
              {"/config/appendfsync", "no", Verdict::kFail},
              {"/persistence/aof_last_write_status", "err", Verdict::kFail}});
}

TEST_CASE("Prometheus: targets by job, retention, alerts") {
  const auto scrapes = [&](const json& seen, const std::string& retention) {
    return judged("prometheus-scrapes", {{"jobs", {"node"}}, {"retention", retention}},
                  record_of({{"units", unit("prometheus.service")}, {"prometheus", seen}}))
        .verdict;
  };
  CHECK(scrapes(prometheus(), "15d") == Verdict::kPass);
  CHECK(scrapes(prometheus(), "30d") == Verdict::kFail);
  CHECK(scrapes(with_value(prometheus(), "/targets/0/health", "down"), "15d") == Verdict::kFail);
  CHECK(scrapes(with_value(prometheus(), "/targets/0/health", "unknown"), "15d") == Verdict::kUnknown);
  CHECK(scrapes(with_value(prometheus(), "/targets", json::array()), "15d") == Verdict::kFail);
  const auto alerts = [&](const std::string& name) {
    return judged("alerts-loaded", {{"alerts", {name}}}, record_of({{"prometheus", prometheus()}})).verdict;
  };
  CHECK(alerts("HostDown") == Verdict::kPass);
  CHECK(alerts("QueueBacklog") == Verdict::kFail);
  CHECK(scrapes(with_value(prometheus(), "/targets/0/last_scrape", "2026-11-26T11:00:00Z"), "15d") == Verdict::kFail);
  CHECK(scrapes(with_value(prometheus(), "/targets/0/last_scrape", "0001-01-01T00:00:00Z"), "15d") ==
        Verdict::kUnknown);
  const auto login = [&](int status) {
    return judged("alerts-loaded", kQueue,
                  record_of({{"prometheus", prometheus()}, {"grafana", {{"default_login", status}}}}))
        .verdict;
  };
  CHECK(login(401) == Verdict::kPass);
  CHECK(login(200) == Verdict::kFail);
}

TEST_CASE("declared Alertmanagers have to be known to Prometheus, now and after its next start") {
  const auto told = [](const json& value, const json& wanted = {"127.0.0.1:9093"}) {
    return judged("alerts-loaded", {{"alerts", {"HostDown"}}, {"alertmanagers", wanted}},
                  record_of({{"prometheus", value}}));
  };
  CHECK(told(prometheus()).verdict == Verdict::kPass);
  CHECK(told(with_value(prometheus(), "/alertmanagers", json::array())).persistence == Persistence::kRuntimeOnly);
  CHECK(told(with_value(prometheus(), "/alertmanagers", {"http://127.0.0.1:90931/api/v2/alerts"})).verdict ==
        Verdict::kFail);
  CHECK(told(with_value(prometheus(), "/at_boot/alertmanagers", json::array())).persistence == Persistence::kBootOnly);
  const auto nobody = told(prometheus(), json::array());
  CHECK(nobody.verdict == Verdict::kPass);
  CHECK(nobody.actual.find("nobody is told") != std::string::npos);
  for (const json& garbled : {json(nullptr), json(1), json("127.0.0.1:9093"), json{{"url", 1}}}) {
    CAPTURE(garbled.dump());
    CHECK(told(with_value(prometheus(), "/alertmanagers", garbled)).verdict != Verdict::kPass);
    CHECK(told(with_value(prometheus(), "/at_boot/alertmanagers", garbled)).verdict != Verdict::kPass);
  }
}

TEST_CASE("monitoring on loopback only") {
  const auto loopback = [](const std::string& address) {
    return judged("loopback-only", {{"ports", {9090}}},
                  record_of({{"sockets",
                              {{"sockets", json::array({{{"protocol", "tcp"},
                                                         {"address", address},
                                                         {"port", 9090},
                                                         {"process", "prometheus"}}})}}}}))
        .verdict;
  };
  CHECK(loopback("127.0.0.1") == Verdict::kPass);
  CHECK(loopback("::1") == Verdict::kPass);
  CHECK(loopback("::") == Verdict::kFail);
  CHECK(judged("loopback-only", {{"ports", {9090}}}, record_of({{"sockets", {{"sockets", json::array()}}}})).verdict ==
        Verdict::kUnknown);
}

}  // namespace sentinel
