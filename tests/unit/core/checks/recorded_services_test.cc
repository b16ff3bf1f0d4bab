// SPDX-License-Identifier: Apache-2.0
// Services that no stack here builds, answering in the shapes that their API's documentation gives (Grafana 10,
// Elasticsearch 8, Loki 2.9); what openssl s_client says of a server that wants certificates was taken from
// OpenSSL 3.0.
#include <map>

#include <catch2/catch.hpp>

#include "core/checks/probe.h"
#include "tests/support/fake_system.h"
#include "tests/support/recorded_http.h"

using namespace sentinel;
using nlohmann::json;

namespace {

using Recorded = std::map<std::string, RecordedAnswer>;  // by method and path

Observation asked(FakeSystem& machine, const std::string& probe, json with) {
  Facts facts;
  facts.hostname = "web-1";
  Look look({machine, {}, {}, Secret("key"), {}});
  return ask({probe, std::move(with)}, look, facts);
}

/// Asks a probe about a service that says this; `token` is what it lets in besides what needs none.
Observation of_service(const std::string& probe, json with, const Recorded& answers) {
  const RecordedHttp service([&](const RecordedRequest& request) {
    const bool guarded = request.target.starts_with("/api/") && request.target != "/api/health";
    if (guarded && request.authorization != "Bearer reads-only" && answers.count("OPEN") == 0)
      return RecordedAnswer{401, R"({"message":"Unauthorized"})"};
    const auto found = answers.find(request.method + " " + request.target.substr(0, request.target.find('?')));
    return found == answers.end() ? RecordedAnswer{404, R"({"message":"Not found"})"} : found->second;
  });
  FakeSystem machine;
  machine.put_file("/etc/token", "reads-only\n", {0, 0, 0400});
  with["url"] = service.url();
  return asked(machine, probe, std::move(with));
}

Recorded grafana() {
  const std::string board = R"x({"dashboard":{"panels":[{"datasource":{"type":"prometheus","uid":"p1"},"targets":[)x"
                            R"x({"refId":"A","expr":"up"},{"refId":"B","expr":"rate(x{job=\"$job\"}[5m])"}]},)x"
                            R"x({"type":"row"}]},"meta":{}})x";
  return {{"GET /api/health", {200, R"({"commit":"x","database":"ok","version":"10.4.1"})"}},
          {"GET /api/frontend/settings", {200, R"({"disableUserSignUp":true})"}},
          {"GET /api/datasources", {200, R"([{"uid":"p1","type":"prometheus"}])"}},
          {"GET /api/datasources/uid/p1/health", {200, R"({"message":"Successfully queried","status":"OK"})"}},
          {"GET /api/search", {200, R"([{"uid":"d1","title":"Proxy","type":"dash-db"}])"}},
          {"GET /api/dashboards/uid/d1", {200, board}},
          {"POST /api/ds/query",
           {200, R"({"results":{"A":{"status":200,"frames":[{"schema":{},"data":{"values":[[1764],[1]]}}]}}})"}}};
}

const json kToken{{"token_file", "/etc/token"}};

}  // namespace

TEST_CASE("Grafana: who gets in, what it has, whether it shows anything") {
  const auto good = of_service("grafana", kToken, grafana());
  REQUIRE_FALSE(good.error);
  CHECK(good.value == json{{"version", "10.4.1"},
                           {"database", "ok"},
                           {"anonymous", 401},
                           {"default_login", 401},
                           {"sign_up", false},
                           {"datasources", 1},
                           {"datasources_failing", 0},
                           {"dashboards", 1},
                           {"queries", 1},
                           {"frames", 1}});
  auto open = grafana();
  open["OPEN"] = {};
  open["GET /api/user"] = {200, R"({"login":"admin"})"};
  const auto anybody = of_service("grafana", kToken, open).value;
  CHECK(anybody.at("anonymous") == 200);
  CHECK(anybody.at("default_login") == 200);
  auto blind = grafana();
  blind["POST /api/ds/query"] = {200, R"({"results":{"A":{"frames":[{"data":{"values":[]}}]}}})"};
  blind["GET /api/datasources/uid/p1/health"] = {400, R"({"status":"ERROR"})"};
  CHECK(of_service("grafana", kToken, blind).value.at("frames") == 0);
  CHECK(of_service("grafana", kToken, blind).value.at("datasources_failing") == 1);
  // Without a token what needs one is not among the answers: rows that ask for it are unknown.
  CHECK_FALSE(of_service("grafana", json::object(), grafana()).value.contains("dashboards"));
}

TEST_CASE("Grafana that answers otherwise is no value") {
  for (const auto& [path, recorded] : grafana()) {
    CAPTURE(path);
    const bool counted = path == "GET /api/datasources/uid/p1/health";  // one that can't be asked is one that fails
    for (const RecordedAnswer& answer : {RecordedAnswer{403, "{}"}, RecordedAnswer{200, "<html>"},
                                         RecordedAnswer{200, R"({"mensaje":"no"})"}, RecordedAnswer{200, ""}}) {
      auto changed = grafana();
      changed[path] = answer;
      const auto found = of_service("grafana", kToken, changed);
      CHECK((found.error.has_value() || (counted && found.value.at("datasources_failing") == 1)));
    }
  }
  CHECK(of_service("grafana", {{"token_file", "/etc/none"}}, grafana()).error.has_value());
}

TEST_CASE("logs elsewhere: the newest line of this host") {
  const json elastic{{"kind", "elasticsearch"}};
  Recorded answers{
      {"GET /_cluster/health", {200, R"({"cluster_name":"logs","status":"yellow"})"}},
      {"GET /_search",
       {200, R"({"hits":{"total":{"value":9},"hits":[{"_source":{"@timestamp":"2026-11-26T11:59:30.120Z"}}]}})"}}};
  CHECK(of_service("log-aggregation", elastic, answers).value ==
        json{{"healthy", true}, {"newest", "2026-11-26T11:59:30.120Z"}});
  answers["GET /_cluster/health"] = {200, R"({"status":"red"})"};
  answers["GET /_search"] = {200, R"({"hits":{"hits":[]}})"};
  CHECK(of_service("log-aggregation", elastic, answers).value == json{{"healthy", false}, {"newest", ""}});

  const json loki{{"kind", "loki"}};
  Recorded lines{{"GET /ready", {200, "ready\n"}},
                 {"GET /loki/api/v1/query_range",
                  {200, R"({"status":"success","data":{"resultType":"streams","result":[)"
                        R"({"stream":{"host":"web-1"},"values":[["1764158370000000000","line"]]}]}})"}}};
  CHECK(of_service("log-aggregation", {{"kind", "loki"}}, {}).error.has_value());
  CHECK(of_service("log-aggregation", loki, lines).error.has_value() == false);
  CHECK(of_service("log-aggregation", loki, lines).value.at("newest") == "2025-11-26T11:59:30.000Z");
  lines["GET /ready"] = {503, "Ingester not ready"};
  CHECK(of_service("log-aggregation", loki, lines).value.at("healthy") == false);
  CHECK(of_service("log-aggregation", {{"kind", "syslog"}}, lines).error.has_value());
  for (const auto& answer : {RecordedAnswer{403, "{}"}, RecordedAnswer{200, "[]"}, RecordedAnswer{200, ""}}) {
    lines["GET /loki/api/v1/query_range"] = answer;
    answers["GET /_search"] = answer;
    CHECK(of_service("log-aggregation", loki, lines).error.has_value());
    CHECK(of_service("log-aggregation", elastic, answers).error.has_value());
  }
}

TEST_CASE("services that want certificates of each other") {
  const json with{
      {"address", "127.0.0.1:8443"}, {"authority", "/etc/mtls/ca.pem"},        {"certificate", "/etc/mtls/a.pem"},
      {"key", "/etc/mtls/a.key"},    {"other_certificate", "/etc/mtls/b.pem"}, {"other_key", "/etc/mtls/b.key"}};
  CommandResult accepted;
  accepted.output = "HTTP/1.0 200 ok\n";
  accepted.errors = "depth=0 CN = api\nverify return:1\n";
  const auto alert = [](const std::string& text, int number) {
    CommandResult out;
    out.status = 1;
    out.errors = "verify return:1\n40F7:error:0A00045C:SSL routines:ssl3_read_bytes:" + text +
                 ":../ssl/record/rec_layer_s3.c:1601:SSL alert number " + std::to_string(number) + "\n";
    return out;
  };
  const auto outcome = [&](const CommandResult& without, const CommandResult& wrong, const CommandResult& right) {
    FakeSystem machine;
    machine.on({"openssl", "s_client"}, [&](FakeSystem&, const CommandLine& command) {
      const auto& words = command.argv;
      const auto given = std::find(words.begin(), words.end(), "-cert");
      if (given == words.end()) return without;
      return *(given + 1) == "/etc/mtls/a.pem" ? right : wrong;
    });
    return asked(machine, "mtls", with);
  };
  const auto required = alert("tlsv13 alert certificate required", 116);
  const auto unknown_ca = alert("tlsv1 alert unknown ca", 48);
  CHECK(outcome(required, unknown_ca, accepted).value ==
        json{{"without_certificate", "refused"}, {"wrong_authority", "refused"}, {"right_certificate", "accepted"}});
  CHECK(outcome(accepted, accepted, accepted).value.at("without_certificate") == "accepted");
  CommandResult untrusted;
  untrusted.status = 1;
  untrusted.errors = "verify error:num=19:self-signed certificate in certificate chain\n";
  CommandResult absent;
  absent.status = 127;
  CommandResult silent;
  for (const auto& each : {untrusted, absent, silent}) {
    CHECK(outcome(each, each, each).error.has_value());
    CHECK(outcome(required, each, accepted).error.has_value());
  }
  FakeSystem machine;
  CHECK(asked(machine, "mtls", json::object()).error.has_value());
}

TEST_CASE("since when a secret has its value") {
  const auto age = [](const std::vector<std::string>& values) {
    FakeSystem machine;
    int release = 0;
    // Each
    // file
    // is
    // newer
    // than
    // the
    // one
    // before
    // it;
    // the
    // machine's
    // clock
    // starts
    // on
    // 2023-11-14.
    for (const auto& value : values) {
      machine.put_file("/var/lib/sentinel/releases/app/r" + std::to_string(release++) + "/environment",
                       "A=1\nJWT_SECRET='" + value + "'\n", {0, 0, 0400});
      machine.pass(std::chrono::hours(24));
    }
    return asked(machine, "secret.age", {{"app", "app"}, {"name", "JWT_SECRET"}});
  };
  const auto changed = age({"old", "new", "new"}).value;
  CHECK(changed.at("since") == changed.at("seen_since"));
  CHECK(changed.at("since").get<std::string>().starts_with("2023-11-15"));
  const auto always = age({"one", "one"}).value;
  CHECK(always.at("since").is_null());
  CHECK(always.at("seen_since").get<std::string>().starts_with("2023-11-14"));
  CHECK(age({"back", "other", "back"}).value.at("since").get<std::string>().starts_with("2023-11-16"));
  CHECK(age({}).error.has_value());
}
