// SPDX-License-Identifier: Apache-2.0
// Services and the application, judged on recorded answers, each trap by its name.
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

const json kShape{{"length", 40}, {"placeholder", false}, {"fingerprint", "f"}};

json container() {
  return {{"name", "app"},
          {"project", "sentinel-1764"},
          {"service", "proxy"},
          {"state", "running"},
          {"health", "healthy"},
          {"oom_killed", false},
          {"restarts", 0},
          {"exit_code", 0},
          {"started_at", "2026-11-26T09:00:00.123456789Z"},
          {"ports", json::array({{{"host_ip", "127.0.0.1"}, {"host_port", "8080"}, {"container", "8080/tcp"}}})},
          {"memory", 1},
          {"cpus", 1},
          {"pids", 1},
          {"application", "sentinel"},
          {"release", "one"},
          {"image_id", "sha256:aa"},
          {"config_files", {"/opt/sentinel/releases/one/compose.yaml"}},
          {"restart", "unless-stopped"},
          {"environment", {{"OPENAI_API_KEY", kShape}}},
          {"log", {{"driver", "json-file"}, {"options", {{"max-size", "10m"}}}}},
          {"healthcheck", {{"Test", {"CMD", "x"}}}},
          {"privileged", false},
          {"read_only", true},
          {"process",
           {{"no_new_privs", "1"},
            {"cap_bounding", "0000000000000400"},
            {"tmp", {{"type", "tmpfs"}, {"options", "rw,nosuid,nodev,noexec,relatime"}}}}}};
}

Finding aspect(const std::string& name, const json& one, int least = 1) {
  return judged("containers", {{"aspect", name}, {"project", "sentinel"}, {"least", least}},
                record_of({{"docker.containers", {{"containers", json::array({one})}}}}));
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

json app() {
  return {
      {"home", {{"exists", true}, {"owner", "root"}, {"group", "root"}, {"mode", "0755"}}},
      {"current", {{"target", "releases/1"}, {"exists", true}}},
      {"release", "one"},
      {"unit", "sentinel-one.service"},
      {"active", "active"},
      {"enabled", "enabled"},
      {"restart", "on-failure"},
      {"changeable", json::array()},
      {"environment", {{"path", "/e"}, {"owner", "root"}, {"mode", "0400"}, {"values", {{"OPENAI_API_KEY", kShape}}}}},
      {"main",
       {{"pid", 7},
        {"no_new_privs", "1"},
        {"cap_bounding", "0000000000000000"},
        {"cap_effective", "0000000000000000"},
        {"root_read_only", true},
        {"tmp", {{"type", "tmpfs"}, {"shared", false}}}}},
      {"main_environment", {{"OPENAI_API_KEY", kShape}}}};
}

json compose() {
  return {{"release", "one"},
          {"file", {{"path", "/opt/sentinel/releases/one/compose.yaml"}, {"recorded", "d1"}, {"found", "d1"}}},
          {"image", "sha256:aa"},
          {"tag", "sentinel:one"},
          {"found", {{"id", "sha256:aa"}, {"digests", json::array()}, {"created", "2026-11-01T00:00:00Z"}}}};
}

json containers(const json& one) {
  return {{"containers", json::array({one})}};
}

const json kApp{{"app", "sentinel"}, {"runtime", "systemd"}};
const json kInContainers{{"app", "sentinel"}, {"runtime", "compose"}};
const Answers kComposed{{"app.compose", compose()}, {"docker.containers", containers(container())}};

json of_aspect(json with, const std::string& name) {
  with["aspect"] = name;
  return with;
}

/// The application in containers: no unit of it is there.
json app_in_containers() {
  auto out = app();
  out.update({{"main", nullptr},
              {"main_environment", json::object()},
              {"active", "inactive"},
              {"enabled", ""},
              {"restart", ""}});
  return out;
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
             {{"sockets", {{{"protocol", "tcp"}, {"address", "::1"}, {"port", 9090}, {"process", "prometheus"}}}}}}}) &
    passes("app-release", kApp, {{"app", app()}}) & passes("app-environment", kApp, {{"app", app()}}) &
    passes("app-restarts", kApp, {{"app", app()}}) & passes("compose-model", kInContainers, kComposed) &
    passes("release-image", kInContainers, kComposed) &
    passes("app-environment", kInContainers,
           {{"app", app_in_containers()}, {"docker.containers", containers(container())}}) &
    passes("app-restarts", kInContainers,
           {{"app", app_in_containers()}, {"docker.containers", containers(container())}}) &
    passes("app-confined", of_aspect(kApp, "no-new-privileges"), {{"app", app()}}) &
    passes("app-confined", of_aspect(kApp, "capabilities"), {{"app", app()}}) &
    passes("app-confined", of_aspect(kApp, "read-only-root"), {{"app", app()}}) &
    passes("app-confined", of_aspect(kApp, "private-tmp"), {{"app", app()}}) &
    passes("containers", {{"aspect", "healthy"}, {"project", "sentinel"}},
           {{"docker.containers", containers(container())}}) &
    passes("containers", {{"aspect", "loopback-ports"}, {"project", "sentinel"}},
           {{"docker.containers", containers(container())}}) &
    passes("containers", {{"aspect", "limits"}, {"project", "sentinel"}},
           {{"docker.containers", containers(container())}}) &
    passes("containers", {{"aspect", "bounded-logs"}, {"project", "sentinel"}},
           {{"docker.containers", containers(container())}}) &
    passes("containers", {{"aspect", "health-check"}, {"project", "sentinel"}},
           {{"docker.containers", containers(container())}}) &
    passes("containers", {{"aspect", "no-new-privileges"}, {"project", "sentinel"}},
           {{"docker.containers", containers(container())}}) &
    passes("containers", {{"aspect", "capabilities"}, {"project", "sentinel"}},
           {{"docker.containers", containers(container())}}) &
    passes("containers", {{"aspect", "read-only-root"}, {"project", "sentinel"}},
           {{"docker.containers", containers(container())}}) &
    passes("containers", {{"aspect", "private-tmp"}, {"project", "sentinel"}},
           {{"docker.containers", containers(container())}}) &
    passes("containers", {{"aspect", "restarted"}, {"project", "sentinel"}},
           {{"docker.containers", containers(container())}}) &
    passes("containers", {{"aspect", "memory-limit"}, {"project", "sentinel"}},
           {{"docker.containers", containers(container())}});

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
  CHECK(site(with_value(off, "/problem", "unrecognized directive")).persistence == Persistence::kBootOnly);
  off["file"] = caddy({proxy("127.0.0.1:9999", 300)})["file"];
  CHECK(site(off).persistence == Persistence::kBootOnly);
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
  const auto keeps = [](const std::string& pointer, const json& value) {
    return judged("redis-persistence", json::object(),
                  record_of({{"units", unit("redis-server.service")},
                             {"redis", with_value(redis("-NOAUTH", "127.0.0.1"), pointer, value)}}));
  };
  CHECK(keeps("/config/appendonly", "yes").verdict == Verdict::kPass);
  CHECK(keeps("/config/appendonly", "no").persistence == Persistence::kRuntimeOnly);
  CHECK(keeps("/at_boot/appendonly", "no").persistence == Persistence::kBootOnly);
  CHECK(keeps("/config/appendfsync", "no").verdict == Verdict::kFail);
  CHECK(keeps("/persistence/aof_last_write_status", "err").verdict == Verdict::kFail);
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

TEST_CASE("containers: each aspect passes on the good one and fails on its own fault; no health check is unknown") {
  for (const std::string name :
       {"healthy", "loopback-ports", "limits", "bounded-logs", "health-check", "no-new-privileges", "capabilities",
        "read-only-root", "private-tmp", "restarted", "memory-limit"}) {
    INFO(name);
    CHECK(aspect(name, container()).verdict == Verdict::kPass);
  }
  CHECK(aspect("healthy", with_value(container(), "/state", "exited")).verdict == Verdict::kFail);
  CHECK(aspect("healthy", with_value(container(), "/health", "")).verdict == Verdict::kUnknown);
  CHECK(has_trap(aspect("healthy", with_value(container(), "/health", "")), "no-healthcheck"));
  CHECK(has_trap(aspect("loopback-ports", with_value(container(), "/ports/0/host_ip", "0.0.0.0")),
                 "docker-publishes-past-ufw"));
  CHECK(aspect("loopback-ports", with_value(container(), "/ports/0/host_ip", "")).verdict == Verdict::kFail);
  CHECK(aspect("limits", with_value(container(), "/memory", 0)).verdict == Verdict::kFail);
  CHECK(aspect("bounded-logs", with_value(container(), "/log/options", json::object())).verdict == Verdict::kFail);
  CHECK(aspect("bounded-logs", with_value(container(), "/log/driver", "journald")).verdict == Verdict::kPass);
  CHECK(aspect("memory-limit", with_value(container(), "/memory", 0)).verdict == Verdict::kFail);
  CHECK(aspect("restarted", with_value(container(), "/restart", "no")).verdict == Verdict::kFail);
  CHECK(aspect("health-check", with_value(container(), "/healthcheck", nullptr)).verdict == Verdict::kFail);
  for (const json& test : {json{"NONE"}, json{"CMD", "true"}, json{"CMD-SHELL", "exit 0"}, json::array()}) {
    CHECK(aspect("health-check", with_value(container(), "/healthcheck/Test", test)).verdict == Verdict::kFail);
  }
  CHECK(aspect("no-new-privileges", with_value(container(), "/process/no_new_privs", "0")).verdict == Verdict::kFail);
  CHECK(aspect("capabilities", with_value(container(), "/process/cap_bounding", "00000000a80425fb")).verdict ==
        Verdict::kFail);
  CHECK(aspect("capabilities", with_value(container(), "/privileged", true)).verdict == Verdict::kFail);
  CHECK(aspect("read-only-root", with_value(container(), "/read_only", false)).verdict == Verdict::kFail);
  CHECK(aspect("private-tmp", with_value(container(), "/process/tmp", nullptr)).verdict == Verdict::kFail);
  CHECK(aspect("private-tmp", with_value(container(), "/process/tmp/options", "rw,nosuid")).verdict == Verdict::kFail);
  CHECK(aspect("healthy", container(), 3).verdict == Verdict::kFail);
  CHECK(aspect("no such aspect", container()).verdict == Verdict::kUnknown);
}

TEST_CASE("a container that is started again and again is not healthy, however it looks") {
  const auto again = [](const json& restarts, const json& started) {
    return aspect("healthy", with_value(with_value(container(), "/restarts", restarts), "/started_at", started));
  };
  const std::string lately = "2026-11-26T11:59:30.5Z";  // 29.5 s before the audit
  CHECK(again(3, lately).verdict == Verdict::kFail);
  CHECK(again(2, lately).verdict == Verdict::kWarn);
  CHECK(again(0, lately).verdict == Verdict::kPass);
  CHECK(again(40, "2026-11-26T09:00:00Z").verdict == Verdict::kPass);  // it has been well since
  for (const json& garbled : {json(""), json("0001-01-01"), json("gestern"), json(nullptr), json(1764)})
    CHECK(again(1, garbled).verdict == Verdict::kUnknown);
  for (const json& garbled : {json(nullptr), json("3"), json(-1), json::array()})
    CHECK(again(garbled, lately).verdict == Verdict::kUnknown);
  const auto killed = with_value(with_value(container(), "/state", "exited"), "/exit_code", 137);
  CHECK(aspect("healthy", killed).actual.find("exit status 137") != std::string::npos);
  const auto starved = aspect("healthy", with_value(killed, "/oom_killed", true));
  CHECK(starved.actual.find("killed for its memory") != std::string::npos);
}

TEST_CASE("limits of memory may not add up to more than the host has") {
  constexpr std::int64_t kGib = 1 << 30;
  const auto limits = [](std::int64_t one, std::int64_t other, std::uint64_t host_mb, const char* state = "running") {
    const auto first = with_value(container(), "/memory", one);
    auto second = with_value(with_value(container(), "/memory", other), "/state", state);
    second["project"] = "somebody-else";
    second["application"] = "";
    auto record = record_of({{"docker.containers", {{"containers", {first, second}}}}});
    record.facts.memory_mb = host_mb;
    return judged("containers", {{"aspect", "limits"}, {"project", "sentinel"}}, record).verdict;
  };
  CHECK(limits(kGib, kGib, 2048) == Verdict::kPass);
  CHECK(limits(kGib, 2 * kGib, 2048) == Verdict::kFail);
  CHECK(limits(kGib, 2 * kGib, 2048, "exited") == Verdict::kPass);
  CHECK(limits(kGib, 0, 2048) == Verdict::kPass);
  CHECK(limits(kGib, kGib, 0) == Verdict::kUnknown);
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

TEST_CASE("traps of compose: an override adds ports, and replicas can't share one") {
  const json both = json::parse(R"([{"host_ip": "", "host_port": "8080", "container": "8080/tcp"},
                                    {"host_ip": "127.0.0.1", "host_port": "8080", "container": "8080/tcp"}])");
  const auto overridden =
      with_value(with_value(container(), "/ports", both), "/config_files", {"/srv/a.yaml", "/srv/b.yaml"});
  CHECK(has_trap(aspect("loopback-ports", overridden), "compose-override-appends"));
  CHECK_FALSE(has_trap(aspect("loopback-ports", with_value(overridden, "/config_files", {"/srv/a.yaml"})),
                       "compose-override-appends"));
  const auto two = [](const json& one, const json& other) {
    return judged("containers", {{"aspect", "healthy"}, {"project", "sentinel"}},
                  record_of({{"docker.containers", {{"containers", {one, other}}}}}));
  };
  const auto waiting = with_value(container(), "/state", "created");
  CHECK(has_trap(two(container(), waiting), "replicas-one-port"));
  CHECK_FALSE(has_trap(two(container(), with_value(waiting, "/service", "other")), "replicas-one-port"));
  CHECK_FALSE(has_trap(two(container(), with_value(waiting, "/ports", json::array())), "replicas-one-port"));
}

TEST_CASE("the application: release, environment, confinement") {
  const auto say = [](const std::string& judgement, const json& value, const json& with = json::object()) {
    return judged(judgement, with, record_of({{"app", value}}));
  };
  CHECK(say("app-release", app()).verdict == Verdict::kPass);
  CHECK(say("app-release", with_value(app(), "/current/exists", false)).verdict == Verdict::kFail);
  CHECK(say("app-release", with_value(app(), "/changeable", {{{"path", "/opt/x"}, {"who", "anybody"}}})).verdict ==
        Verdict::kFail);
  CHECK(say("app-environment", app()).verdict == Verdict::kPass);
  CHECK(say("app-environment", with_value(app(), "/environment/mode", "0644")).verdict == Verdict::kFail);
  CHECK(say("app-environment", with_value(app(), "/environment/values/OPENAI_API_KEY/placeholder", true)).verdict ==
        Verdict::kFail);
  const auto drift = say("app-environment", with_value(app(), "/main_environment/OPENAI_API_KEY/fingerprint", "g"));
  CHECK(drift.persistence == Persistence::kRuntimeOnly);
  CHECK(has_trap(drift, "environment-not-reloaded"));
  for (const std::string name : {"no-new-privileges", "capabilities", "read-only-root", "private-tmp"}) {
    INFO(name);
    CHECK(say("app-confined", app(), {{"aspect", name}}).verdict == Verdict::kPass);
    CHECK(say("app-confined", with_value(app(), "/main", nullptr), {{"aspect", name}}).verdict == Verdict::kUnknown);
  }
  CHECK(say("app-confined", with_value(app(), "/main/cap_bounding", "000001ffffffffff"), {{"aspect", "capabilities"}})
            .verdict == Verdict::kFail);
  CHECK(say("app-confined", with_value(app(), "/main/no_new_privs", "0"), {{"aspect", "no-new-privileges"}}).verdict ==
        Verdict::kFail);
}

TEST_CASE("the application in containers: its model, its image, its environment, who starts it") {
  const auto say = [](const std::string& judgement, const std::string& probe, const std::string& pointer,
                      const json& value, const json& with = kInContainers) {
    Answers answers{
        {"app", app_in_containers()}, {"app.compose", compose()}, {"docker.containers", containers(container())}};
    for (auto& [name, seen] : answers) {
      if (name == probe) seen = with_value(seen, pointer, value);
    }
    return judged(judgement, with, record_of(answers));
  };
  const std::string one = "/containers/0";
  CHECK(say("compose-model", "app.compose", "/file/found", "d2").persistence == Persistence::kBootOnly);
  CHECK(say("compose-model", "app.compose", "/file/found", nullptr).persistence == Persistence::kBootOnly);
  const auto merged = say("compose-model", "docker.containers", one + "/config_files",
                          {"/opt/sentinel/releases/one/compose.yaml", "/opt/sentinel/override.yaml"});
  CHECK(merged.verdict == Verdict::kFail);
  CHECK(has_trap(merged, "compose-override-appends"));
  CHECK(say("compose-model", "docker.containers", one + "/config_files", json::array()).verdict == Verdict::kUnknown);
  CHECK(say("compose-model", "docker.containers", one + "/ports/0/host_ip", "").verdict == Verdict::kFail);
  CHECK(say("compose-model", "docker.containers", one + "/memory", 0).verdict == Verdict::kFail);
  CHECK(say("compose-model", "docker.containers", "/containers", json::array()).verdict == Verdict::kFail);
  CHECK(say("release-image", "app.compose", "/found", nullptr).verdict == Verdict::kFail);
  CHECK(say("release-image", "app.compose", "/found/id", "sha256:bb").verdict == Verdict::kFail);
  CHECK(say("release-image", "app.compose", "/image", "registry/x@sha256:cc").verdict == Verdict::kFail);
  CHECK(say("release-image", "docker.containers", one + "/image_id", "sha256:bb").persistence ==
        Persistence::kRuntimeOnly);
  CHECK(say("release-image", "docker.containers", one + "/release", "two").verdict == Verdict::kFail);
  const auto drift = say("app-environment", "docker.containers", one + "/environment/OPENAI_API_KEY/fingerprint", "g");
  CHECK(drift.persistence == Persistence::kRuntimeOnly);
  CHECK(say("app-restarts", "docker.containers", one + "/restart", "no").verdict == Verdict::kFail);
  CHECK(say("app-restarts", "app", "/enabled", "enabled").verdict == Verdict::kFail);
  const auto capable = of_aspect(kInContainers, "capabilities");
  CHECK(say("app-confined", "docker.containers", one + "/process/cap_bounding", "00000000a80425fb", capable).verdict ==
        Verdict::kFail);
  CHECK(judged("app-restarts", kApp, record_of({{"app", with_value(app(), "/restart", "no")}})).verdict ==
        Verdict::kFail);
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
