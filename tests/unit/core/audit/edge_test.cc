// SPDX-License-Identifier: Apache-2.0
// Cloudflare judged on recorded answers: the zone as it should be, and each way to be wrong.
#include <catch2/catch.hpp>

#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

const json kWith = {{"name", "api.example.com"}, {"addresses", {"203.0.113.7"}}};

json record(const char* type, const char* name, const char* content, bool proxied) {
  return {{"type", type}, {"name", name}, {"content", content}, {"proxied", proxied}};
}

json answer(int status, json headers = json::object()) {
  return {
      {"status", status}, {"http_version", "2"}, {"headers", std::move(headers)}, {"address", "192.0.2.1"}, {"ms", 20}};
}

json cache_rule(bool enabled, bool cache, const char* expression) {
  return {{"id", "c"},
          {"enabled", enabled},
          {"action", "set_cache_settings"},
          {"cache", cache},
          {"expression", expression}};
}

const Answers kZone = {
    {"cloudflare.zone", {{"name", "example.com"}, {"status", "active"}, {"paused", false}}},
    {"cloudflare.dns",
     {{"records",
       {record("A", "api.example.com", "203.0.113.7", true), record("MX", "example.com", "mail.example.net", false)}}}},
    {"cloudflare.settings",
     {{"ssl", "strict"},
      {"always_use_https", "on"},
      {"min_tls_version", "1.2"},
      {"websockets", "on"},
      {"http2", "on"},
      {"http3", "on"},
      {"security_level", "medium"},
      {"challenge_ttl", 1800},
      {"browser_check", "on"}}},
    {"cloudflare.config-rules", {{"present", false}, {"rules", json::array()}}},
    {"cloudflare.page-rules", {{"rules", json::array()}}},
    {"cloudflare.cache-rules",
     {{"present", true},
      {"rules", json::array({cache_rule(true, false, R"((starts_with(http.request.uri.path, "/v1/")))")})}}},
    {"cloudflare.bot", {{"fight_mode", true}}},
    {"outside.redirect", {{"origin", answer(301)}, {"edge", answer(301, {{"location", "https://api.example.com/"}})}}},
    {"outside.https", {{"origin", answer(200)}, {"edge", answer(200, {{"alt-svc", "h3=\":443\""}})}}},
    {"outside.cached", {{"statuses", {"DYNAMIC", ""}}}}};

Answers changed(const std::string& probe, const std::string& pointer, const json& value) {
  auto out = kZone;
  for (auto& [name, seen] : out) {
    if (name == probe) seen = with_value(seen, pointer, value);
  }
  return out;
}

/// What becomes of a judgement when one thing of the good zone is otherwise.
Finding after(const std::string& judgement, const std::string& probe, const std::string& pointer, const json& value) {
  return judged(judgement, kWith, record_of(changed(probe, pointer, value)));
}

Verdict verdict_after(const std::string& judgement, const std::string& probe, const std::string& pointer,
                      const json& value) {
  return after(judgement, probe, pointer, value).verdict;
}

Answers part(const std::vector<std::string>& probes) {
  Answers out;
  for (const auto& each : kZone) {
    if (std::find(probes.begin(), probes.end(), each.first) != probes.end()) out.push_back(each);
  }
  return out;
}

[[maybe_unused]] const bool kPasses =
    passes("edge-dns", kWith, part({"cloudflare.zone", "cloudflare.dns"})) &
    passes("edge-strict", kWith,
           part({"cloudflare.zone", "cloudflare.settings", "cloudflare.config-rules", "cloudflare.page-rules",
                 "outside.redirect"})) &
    passes("edge-protocols", kWith, part({"cloudflare.settings", "outside.https"})) &
    passes("edge-cache-bypass", kWith, part({"cloudflare.cache-rules", "cloudflare.page-rules", "outside.cached"})) &
    passes("edge-security", kWith,
           part({"cloudflare.settings", "cloudflare.config-rules", "cloudflare.page-rules", "cloudflare.bot"}));

}  // namespace

TEST_CASE("the zone as it should be passes everywhere") {
  for (const auto* judgement : {"edge-dns", "edge-strict", "edge-protocols", "edge-cache-bypass", "edge-security"}) {
    const auto finding = judged(judgement, kWith, record_of(kZone));
    INFO(judgement << ": " << finding.actual << finding.reason);
    CHECK(finding.verdict == Verdict::kPass);
  }
}

TEST_CASE("records: missing, grey, elsewhere, or another one that tells the address") {
  CHECK(verdict_after("edge-dns", "cloudflare.dns", "/records/0/proxied", false) == Verdict::kFail);
  CHECK(verdict_after("edge-dns", "cloudflare.dns", "/records/0/content", "203.0.113.8") == Verdict::kFail);
  CHECK(verdict_after("edge-dns", "cloudflare.dns", "/records/0/name", "www.example.com") == Verdict::kFail);
  CHECK(verdict_after("edge-dns", "cloudflare.dns", "/records/1",
                      record("AAAA", "api.example.com", "2001:db8::9", true)) == Verdict::kFail);
  CHECK(verdict_after("edge-dns", "cloudflare.dns", "/records/1",
                      record("A", "ssh.example.com", "203.0.113.7", false)) == Verdict::kWarn);
  CHECK(verdict_after("edge-dns", "cloudflare.zone", "/status", "pending") == Verdict::kFail);
  CHECK(verdict_after("edge-dns", "cloudflare.zone", "/paused", true) == Verdict::kFail);
}

TEST_CASE("strict TLS: each setting, each override") {
  for (const auto* mode : {"full", "flexible", "off"})
    CHECK(verdict_after("edge-strict", "cloudflare.settings", "/ssl", mode) == Verdict::kFail);
  CHECK(verdict_after("edge-strict", "cloudflare.settings", "/always_use_https", "off") == Verdict::kFail);
  CHECK(verdict_after("edge-strict", "cloudflare.settings", "/min_tls_version", "1.0") == Verdict::kFail);
  CHECK(verdict_after("edge-strict", "cloudflare.settings", "/min_tls_version", "1.3") == Verdict::kPass);
  CHECK(verdict_after("edge-strict", "cloudflare.settings", "/ssl", {{"error", "the token may not read this"}}) ==
        Verdict::kUnknown);
  CHECK(verdict_after("edge-strict", "outside.redirect", "/edge", answer(200)) == Verdict::kFail);
  CHECK(has_trap(after("edge-strict", "cloudflare.zone", "/paused", true), "zone-paused"));
  const auto rule = [](const char* expression, const char* mode) {
    return json{{"id", "o"},
                {"enabled", true},
                {"action", "set_config"},
                {"expression", expression},
                {"settings", {{"ssl", mode}}}};
  };
  const auto with_rule = [&](const json& each) {
    return after("edge-strict", "cloudflare.config-rules", "/rules", json::array({each}));
  };
  CHECK(with_rule(rule("true", "flexible")).verdict == Verdict::kFail);
  CHECK(has_trap(with_rule(rule("true", "flexible")), "ssl-overridden"));
  CHECK(with_rule(rule(R"((http.host eq "api.example.com"))", "full")).verdict == Verdict::kFail);
  CHECK(with_rule(rule(R"((http.host eq "www.example.com"))", "off")).verdict == Verdict::kPass);
  CHECK(with_rule(rule(R"((starts_with(http.request.uri.path, "/old")))", "off")).verdict == Verdict::kWarn);
  CHECK(with_rule(rule("true", "strict")).verdict == Verdict::kPass);
  CHECK(with_rule(with_value(rule("true", "off"), "/enabled", false)).verdict == Verdict::kPass);
  const auto page = [](const char* target) {
    return json{{"id", "p"}, {"enabled", true}, {"targets", json::array({target})}, {"actions", {{"ssl", "flexible"}}}};
  };
  CHECK(verdict_after("edge-strict", "cloudflare.page-rules", "/rules",
                      json::array({page("https://*example.com/*")})) == Verdict::kFail);
  CHECK(verdict_after("edge-strict", "cloudflare.page-rules", "/rules", json::array({page("www.example.com/*")})) ==
        Verdict::kPass);
}

TEST_CASE("settings alone are no proof, and a fault is one without the edge") {
  const json silent = {{"error", "no answer in time"}, {"code", "outside.timeout"}};
  CHECK(verdict_after("edge-strict", "outside.redirect", "/edge", silent) == Verdict::kUnknown);
  CHECK(verdict_after("edge-protocols", "outside.https", "/edge", silent) == Verdict::kUnknown);
  CHECK(judged("edge-cache-bypass", kWith, record_of(part({"cloudflare.cache-rules", "cloudflare.page-rules"})))
            .verdict == Verdict::kUnknown);
  auto unruled = part({"cloudflare.page-rules"});
  unruled.push_back({"cloudflare.cache-rules", {{"present", false}, {"rules", json::array()}}});
  CHECK(judged("edge-cache-bypass", kWith, record_of(unruled)).verdict == Verdict::kFail);
}

TEST_CASE("protocols") {
  for (const auto* name : {"/websockets", "/http2", "/http3"})
    CHECK(verdict_after("edge-protocols", "cloudflare.settings", name, "off") == Verdict::kFail);
  CHECK(verdict_after("edge-protocols", "outside.https", "/edge/headers", json::object()) == Verdict::kWarn);
  CHECK(verdict_after("edge-protocols", "outside.https", "/edge/http_version", "1.1") == Verdict::kWarn);
}

TEST_CASE("the cache: no ruleset, another path, another host, switched off, put back, and what the edge says") {
  const auto rules = [](const json& list) {
    return verdict_after("edge-cache-bypass", "cloudflare.cache-rules", "", {{"present", true}, {"rules", list}});
  };
  const auto* v1 = R"((starts_with(http.request.uri.path, "/v1/")))";
  CHECK(verdict_after("edge-cache-bypass", "cloudflare.cache-rules", "",
                      {{"present", false}, {"rules", json::array()}}) == Verdict::kFail);
  CHECK(rules(json::array({cache_rule(false, false, v1)})) == Verdict::kFail);
  CHECK(rules(json::array({cache_rule(true, true, v1)})) == Verdict::kFail);
  CHECK(rules(json::array({cache_rule(true, false, R"((starts_with(http.request.uri.path, "/static/")))")})) ==
        Verdict::kFail);
  CHECK(rules(json::array({cache_rule(
            true, false, R"((http.host eq "www.example.com" and starts_with(http.request.uri.path, "/v1/")))")})) ==
        Verdict::kFail);
  CHECK(rules(json::array({cache_rule(true, false, v1), cache_rule(true, true, "true")})) == Verdict::kFail);
  CHECK(rules(json::array({cache_rule(true, true, "true"), cache_rule(true, false, v1)})) == Verdict::kPass);
  CHECK(rules(json::array({cache_rule(true, false, R"(http.request.uri.path wildcard "/v1/*")")})) == Verdict::kPass);
  CHECK(rules(json::array({cache_rule(true, false, R"((http.host eq "api.example.com"))")})) == Verdict::kPass);
  CHECK(verdict_after("edge-cache-bypass", "outside.cached", "/statuses/1", "HIT") == Verdict::kFail);
}

TEST_CASE("security settings") {
  CHECK(verdict_after("edge-security", "cloudflare.settings", "/security_level", "essentially_off") == Verdict::kFail);
  CHECK(verdict_after("edge-security", "cloudflare.settings", "/challenge_ttl", 86400) == Verdict::kFail);
  CHECK(verdict_after("edge-security", "cloudflare.settings", "/browser_check", "off") == Verdict::kFail);
  CHECK(verdict_after("edge-security", "cloudflare.bot", "/fight_mode", false) == Verdict::kWarn);
  const auto with_rule = [](const char* expression, const json& settings) {
    return verdict_after(
        "edge-security", "cloudflare.config-rules", "/rules",
        json::array({{{"id", "o"}, {"enabled", true}, {"expression", expression}, {"settings", settings}}}));
  };
  CHECK(with_rule("true", {{"security_level", "essentially_off"}}) == Verdict::kFail);
  CHECK(with_rule("true", {{"security_level", "high"}}) == Verdict::kPass);
  CHECK(with_rule("true", {{"bic", false}}) == Verdict::kFail);
  CHECK(with_rule(R"((http.host eq "www.example.com"))", {{"bic", false}}) == Verdict::kPass);
  CHECK(with_rule(R"((starts_with(http.request.uri.path, "/v1/")))", {{"bic", false}}) == Verdict::kWarn);
  const auto with_page_rule = [](const json& actions) {
    return verdict_after(
        "edge-security", "cloudflare.page-rules", "/rules",
        json::array({{{"id", "p"}, {"enabled", true}, {"targets", {"*example.com/*"}}, {"actions", actions}}}));
  };
  CHECK(with_page_rule({{"disable_security", true}}) == Verdict::kFail);
  CHECK(with_page_rule({{"browser_check", "off"}}) == Verdict::kFail);
  CHECK(with_page_rule({{"security_level", "off"}}) == Verdict::kFail);
  CHECK(with_page_rule({{"forwarding_url", {{"url", "https://x"}}}}) == Verdict::kPass);
}

}  // namespace sentinel
