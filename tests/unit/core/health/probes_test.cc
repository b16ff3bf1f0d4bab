// SPDX-License-Identifier: Apache-2.0
// What answers mean, by cases: every answer that isn't plainly good is a failure. Real servers are asked by verify's
// tests.
#include <catch2/catch.hpp>

#include "core/health/probe_runner.h"
#include "core/health/remote_probes.h"
#include "core/model/json.h"
#include "core/system/local_system.h"
#include "tests/support/fake_system.h"

namespace sentinel {
namespace {

const std::chrono::milliseconds kLimit{2000};

template <typename Target>
std::string read(const Target& probe, unsigned status, const std::string& body) {
  const auto seen = read_answer(probe, HttpReply{status, body});
  return seen.ok() ? "+" + *seen : seen.error().message;
}

ProbeAnswer run(Reader& machine, ProbeTarget target) {
  Probe probe;
  probe.name = "x";
  probe.target = std::move(target);
  return LocalProbeRunner(machine).run(probe, kLimit);
}

}  // namespace

TEST_CASE("health settings survive JSON with every kind of probe") {
  HealthSettings settings;
  HttpProbe http{"https://a/", "/s", "POST", {{"X", "y"}}, "b", {200, 404}, "ok", "/ca"};
  const std::vector<ProbeTarget> targets{http,
                                         TcpProbe{"::1", 22},
                                         CommandProbe{{"true", ""}},
                                         UnitProbe{"x.service"},
                                         ContainerProbe{"web"},
                                         PrometheusProbe{"http://p", "up", Comparison::kAtLeast, 0.5}};
  for (const auto& target : targets) {
    Probe probe;
    probe.name = "p" + std::to_string(settings.probes.size());
    probe.kind = ProbeKind::kVerify;
    probe.target = target;
    settings.probes.push_back(probe);
  }
  CHECK(decode<HealthSettings>(nlohmann::json(settings)).value() == settings);
  nlohmann::json broken(settings);
  broken["probes"][0]["target"] = {{"htpp", nlohmann::json::object()}};
  CHECK(decode<HealthSettings>(broken).error().code == "json.shape");
}

TEST_CASE("URLs of probes") {
  const auto url = parse_http_url("https://[::1]:8443?x=1#f").value();
  CHECK((url.tls && url.host == "::1" && url.port == 8443 && url.target == "/?x=1"));
  const auto plain = parse_http_url("http://web/health").value();
  CHECK((!plain.tls && plain.host == "web" && plain.port == 80 && plain.target == "/health"));
  for (const char* text :
       {"", "web/health", "ftp://web", "http://", "http://:80/", "http://a:0/", "http://a:99999/", "http://a:8x/",
        "http://u:p@a/", "http://[::1/", "http://[::1]x/", "http://a/b c", "http://a/\r\nX: y"}) {
    INFO(text);
    CHECK(parse_http_url(text).error().code == "http.url");
  }
  CHECK(parse_http_url("http://user:hunter2@a/").error().message.find("hunter2") == std::string::npos);
}

TEST_CASE("statuses and bodies of HTTP answers") {
  HttpProbe probe;
  CHECK(read(probe, 200, "") == "+status 200");
  CHECK(read(probe, 204, "") == "+status 204");
  for (const unsigned status : {100U, 199U, 301U, 302U, 404U, 500U, 503U}) {
    CHECK(read(probe, status, "ok") == "status " + std::to_string(status));
  }
  probe.statuses = {401};
  CHECK(read(probe, 200, "") == "status 200");
  CHECK(read(probe, 401, "") == "+status 401");
  probe.contains = "\"ready\"";
  CHECK(read(probe, 401, "{\"ready\"}") == "+status 401");
  CHECK(read(probe, 401, "") == "status 401, but its body doesn't hold '\"ready\"'");
}

TEST_CASE("a container is healthy only when Docker says so") {
  const ContainerProbe probe{"web"};
  CHECK(read(probe, 200, R"({"State":{"Status":"running","Health":{"Status":"healthy"}}})") ==
        "+container web is healthy");
  const std::pair<const char*, const char*> cases[] = {
      {R"({"State":{"Status":"running","Health":{"Status":"starting"}}})", "container web is starting"},
      {R"({"State":{"Status":"running","Health":{"Status":"unhealthy"}}})", "container web is unhealthy"},
      {R"({"State":{"Status":"running"}})", "container web has no health check"},
      {R"({"State":{"Status":"running","Health":null}})", "container web has no health check"},
      {R"({"State":{"Status":"exited","Health":{"Status":"healthy"}}})", "container web is exited"},
      {R"({"State":"running"})", "Docker's answer has no State.Status"},
      {"[]", "Docker's answer has no State.Status"},
      {"<html>", "Docker's answer is no JSON"},
  };
  for (const auto& [body, reason] : cases) CHECK(read(probe, 200, body) == reason);
  CHECK(read(probe, 404, "{}") == "there is no container web");
  CHECK(read(probe, 500, "{}") == "Docker answers with status 500");
}

TEST_CASE("a Prometheus query needs data, numbers, and all of them in bounds") {
  const PrometheusProbe probe{"http://p/", "rate(x[1m]) > 0", Comparison::kBelow, 2};
  CHECK(request_of(probe).url == "http://p/api/v1/query?query=rate%28x%5B1m%5D%29%20%3E%200");
  const auto data = [](const std::string& type, const std::string& result) {
    return R"({"status":"success","data":{"resultType":")" + type + R"(","result":)" + result + "}}";
  };
  CHECK(read(probe, 200, data("scalar", R"([1,"1.5"])")) == "+1.5 < 2");
  CHECK(read(probe, 200, data("vector", R"([{"metric":{},"value":[1,"1"]},{"value":[1,"0"]}])")) == "+0 < 2");
  const std::pair<std::string, const char*> cases[] = {
      {data("vector", "[]"), "the query gives no data"},
      {data("vector", R"([{"value":[1,"1"]},{"value":[1,"3"]}])"), "it is not so that 3 < 2"},
      {data("vector", R"([{"value":[1,"NaN"]}])"), "the query gives NaN"},
      {data("vector", R"([{"value":[1,"x"]}])"), "a sample that is no number"},
      {data("vector", R"([{"value":[1]}])"), "a sample without its value"},
      {data("vector", "[1]"), "a sample without its value"},
      {data("matrix", "[]"), "the query gives a matrix, not a number"},
      {R"({"status":"success","data":[]})", "the query gives no result"},
      {R"({"status":"success"})", "the query gives no result"},
      {R"({"status":"error","error":"bad"})", "the query failed with status 200: bad"},
      {"1", "the query failed with status 200: "},
      {"", "status 200 and no JSON"},
  };
  for (const auto& [body, reason] : cases) CHECK(read(probe, 200, body) == reason);
  CHECK(read(probe, 503, "") == "status 503 and no JSON");
}

TEST_CASE("commands and units are judged by what they say") {
  FakeSystem machine;
  machine.on({"good"}, {0, "", ""});
  machine.on({"bad"}, {3, "", "not today\n"});
  CHECK(run(machine, CommandProbe{{"good"}}).healthy);
  CHECK(run(machine, CommandProbe{{"bad"}}).reason == "status 3: not today");
  CHECK_FALSE(run(machine, CommandProbe{{"absent"}}).healthy);
  const std::vector<std::string> show{"systemctl", "show", "--property=LoadState,ActiveState,SubState", "--",
                                      "x.service"};
  machine.on(show, {0, "LoadState=loaded\nActiveState=active\nSubState=running\n", ""});
  CHECK(run(machine, UnitProbe{"x.service"}).healthy);
  for (const char* state : {"activating", "reloading", "inactive", "failed", "deactivating"}) {
    machine.on(show, {0, std::string("LoadState=loaded\nActiveState=") + state + "\nSubState=x\n", ""});
    CHECK_FALSE(run(machine, UnitProbe{"x.service"}).healthy);
  }
  machine.on(show, {0, "", ""});
  CHECK(run(machine, UnitProbe{"x.service"}).reason == "x.service: systemctl said nothing");
}

TEST_CASE("a real command that hangs fails within its probe's time") {
  LocalSystem machine;
  Probe probe;
  probe.timeout_ms = 300;
  probe.target = CommandProbe{{"sleep", "60"}};
  const auto answer = LocalProbeRunner(machine).run(probe, kLimit);
  CHECK(answer.reason == "sleep 60 did not end within 0.3 s");
}

}  // namespace sentinel
