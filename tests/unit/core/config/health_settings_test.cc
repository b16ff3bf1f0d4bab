// SPDX-License-Identifier: Apache-2.0
// The health keys of a project: what they become, their defaults, and mistakes that only their meaning shows.
#include <catch2/catch.hpp>

#include "core/config/project.h"

namespace sentinel {
namespace {

std::optional<Project> load(const std::string& more, Diagnostics& diagnostics) {
  return load_project({"/nonexistent", "version: 1\nproject: demo\nhosts: {a: {address: a.example.com}}\n" + more, {}},
                      diagnostics);
}

HealthSettings settings(const std::string& more) {
  Diagnostics diagnostics;
  const auto project = load(more, diagnostics);
  for (const auto& error : diagnostics.errors) FAIL_CHECK(error.message);
  return project ? project->health_settings : HealthSettings{};
}

}  // namespace

TEST_CASE("without health keys a release must be ready at the usual path") {
  const auto read = settings("");
  REQUIRE(read.probes.size() == 1);
  const Probe& ready = read.probes[0];
  CHECK((ready.name == "ready" && ready.kind == ProbeKind::kReadiness));
  CHECK((ready.interval_ms == 1000 && ready.timeout_ms == 2000 && ready.successes == 3 && ready.failures == 3));
  CHECK(std::get<HttpProbe>(ready.target).url == "http://127.0.0.1:8080/health/ready");
  CHECK(read.gate.deadline_ms == 60'000);
  CHECK(read.bake == BakeSettings{});
}

TEST_CASE("every key of health arrives") {
  const auto read = settings(
      "app: {port: 9000}\n"
      "health:\n"
      "  ready: {path: /up, interval: 2s, timeout: 3s, successes: 4, failures: 5, status: 204, contains: ok}\n"
      "  startup: {path: /started}\n"
      "  live: {path: /live}\n"
      "  start: 5m\n"
      "  bake: {time: 2m, errors: 5%, min_requests: 10}\n"
      "  verify:\n"
      "    - {name: chat, path: /v1/chat, method: POST, headers: {A: b}, body: '{}', status: [200, 429]}\n"
      "    - {name: outside, url: 'https://api.example.com/', ca_file: /etc/ca.pem}\n"
      "    - {name: redis, tcp: '[::1]:6379'}\n"
      "    - {name: script, command: [bin/check, x]}\n"
      "    - {name: unit, unit: redis.service}\n"
      "    - {name: box, container: web}\n"
      "    - {name: rate, prometheus: {url: 'http://127.0.0.1:9090', query: up, holds: '>= 0.5'}}\n");
  REQUIRE(read.probes.size() == 10);
  CHECK(read.probes[0].kind == ProbeKind::kStartup);
  CHECK(read.probes[2].kind == ProbeKind::kLiveness);
  HttpProbe ready;
  ready.url = "http://127.0.0.1:9000/up";
  ready.statuses = {204};
  ready.contains = "ok";
  CHECK(read.probes[1] == Probe{"ready", ProbeKind::kReadiness, ready, 2000, 3000, 4, 5});
  const auto chat = std::get<HttpProbe>(read.probes[3].target);
  CHECK((chat.url == "http://127.0.0.1:9000/v1/chat" && chat.method == "POST" && chat.body == "{}"));
  CHECK((chat.headers == std::map<std::string, std::string>{{"A", "b"}} &&
         chat.statuses == std::vector<std::uint16_t>{200, 429}));
  CHECK(std::get<HttpProbe>(read.probes[4].target).ca_file == "/etc/ca.pem");
  CHECK(read.probes[5].target == ProbeTarget(TcpProbe{"::1", 6379}));
  CHECK(read.probes[6].target == ProbeTarget(CommandProbe{{"bin/check", "x"}}));
  CHECK(read.probes[7].target == ProbeTarget(UnitProbe{"redis.service"}));
  CHECK(read.probes[8].target == ProbeTarget(ContainerProbe{"web"}));
  CHECK(read.probes[9].target ==
        ProbeTarget(PrometheusProbe{"http://127.0.0.1:9090", "up", Comparison::kAtLeast, 0.5}));
  CHECK(read.gate.deadline_ms == 300'000);
  CHECK(read.bake == BakeSettings{120'000, 0.05, 10});
}

TEST_CASE("what a host watches for good is ready and live, with limits of its own") {
  Diagnostics diagnostics;
  const auto usual = load("", diagnostics);
  REQUIRE(usual);
  CHECK((usual->watch.app == "demo" && usual->watch.port == 9465 && usual->watch.rollback_window_ms == 600'000));
  CHECK(usual->watch.webhooks.empty());
  const auto read = load(
      "health:\n"
      "  ready: {timeout: 1m}\n"
      "  live: {path: /live}\n"
      "  startup: {path: /started}\n"
      "  start_period: 15s\n"
      "  verify: [{name: unit, unit: redis.service}]\n"
      "  watch: {rollback: 0s, port: 9999, webhooks: [{url: 'https://h.example.com/', secret_file: /etc/token}]}\n",
      diagnostics);
  REQUIRE(read);
  const WatchSettings& watch = read->watch;
  CHECK((watch.port == 9999 && watch.rollback_window_ms == 0 && watch.start_period_ms == 15'000));
  REQUIRE(watch.probes.size() == 2);
  CHECK((watch.probes[0].name == "ready" && watch.probes[0].timeout_ms == kMostWatchTimeoutMs));
  CHECK(watch.probes[1].name == "live");
  CHECK(watch.webhooks == std::vector<Webhook>{{"https://h.example.com/", "/etc/token", ""}});
}

TEST_CASE("mistakes of health keys are named with their place") {
  const std::pair<const char*, const char*> cases[] = {
      {"{verify: [{name: x, url: 'example.com/'}]}", "health.probe"},
      {"{verify: [{name: x, tcp: '6379'}]}", "health.probe"},
      {"{verify: [{name: x, tcp: 'redis:many'}]}", "health.probe"},
      {"{verify: [{name: x, prometheus: {url: 'http://p', query: up, holds: 'about 1'}}]}", "health.probe"},
      {"{verify: [{name: x, prometheus: {url: 'http://p', query: up, holds: '<'}}]}", "health.probe"},
      {"{ready: {status: [20]}}", "health.probe"},
      {"{verify: [{name: x, unit: a}, {name: x, unit: b}]}", "health.duplicate-probe"},
      {"{verify: [{name: ready, unit: a}]}", "health.duplicate-probe"},
      {"{verify: [{name: x}]}", "schema.missing-key"},
      {"{verify: [{name: x, unit: a, path: /b}]}", "schema.exclusive-keys"},
      {"{live: {interval: 1s}}", "schema.missing-key"},
      {"{redy: {path: /x}}", "schema.unknown-key"},
      {"{watch: {webhooks: [{url: 'h.example.com'}]}}", "health.probe"},
      {"{watch: {webhooks: [{secret_file: /etc/token}]}}", "schema.missing-key"},
  };
  for (const auto& [text, code] : cases) {
    Diagnostics diagnostics;
    INFO(text);
    CHECK_FALSE(load(std::string("health: ") + text + "\n", diagnostics));
    REQUIRE(diagnostics.errors.size() == 1);
    CHECK(diagnostics.errors[0].code == code);
    REQUIRE(diagnostics.errors[0].position);
    CHECK(diagnostics.errors[0].position->line == 4);
  }
}

}  // namespace sentinel
