// SPDX-License-Identifier: Apache-2.0
// What was seen from outside, judged on recorded answers.
#include <catch2/catch.hpp>

#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

const json kAlone = {{"name", "api.example.com"}, {"cloudflare", false}};
const json kBehind = {{"name", "api.example.com"}, {"cloudflare", true}};

json handshakes(const std::vector<std::pair<std::string, std::string>>& outcomes) {
  auto out = json::object();
  for (const auto& [name, outcome] : outcomes) out[name] = {{"outcome", outcome}, {"detail", ""}};
  return out;
}

json tls_side() {
  return {{"address", "203.0.113.7"},
          {"port", 443},
          {"name", "api.example.com"},
          {"versions", handshakes({{"1.0", "refused"}, {"1.1", "refused"}, {"1.2", "accepted"}, {"1.3", "accepted"}})},
          {"weak_ciphers", handshakes({{"rsa-key-exchange", "refused"}, {"cbc", "refused"}, {"3des", "unable"}})},
          {"certificate",
           {{"subject", "CN=api.example.com"},
            {"issuer", "CN=Authority"},
            {"names", {"api.example.com"}},
            {"not_before", "2026-10-01T00:00:00Z"},
            {"not_after", "2027-02-01T00:00:00Z"},
            {"days_left", 67},
            {"share_left", 0.2},
            {"fingerprint", "00"},
            {"chain", "ok"},
            {"name_matches", true}}}};
}

json answer(int status, json headers = json::object()) {
  return {{"status", status},
          {"http_version", "2"},
          {"headers", std::move(headers)},
          {"address", "203.0.113.7"},
          {"ms", 20}};
}

json no_answer(const char* code) {
  return {{"error", "no answer"}, {"code", code}};
}

const json kRedirect = {{"origin", answer(308, {{"location", "https://api.example.com/"}})},
                        {"edge", answer(301, {{"location", "https://api.example.com/"}})}};
const json kTls = {{"origin", tls_side()}, {"edge", tls_side()}};

Verdict tls(const std::string& judgement, const json& with, const std::string& pointer, const json& value) {
  return judged(judgement, with,
                record_of({{"outside.tls", with_value(kTls, pointer, value)}, {"outside.redirect", kRedirect}}))
      .verdict;
}

json stream() {
  return {{"status", 200},         {"content_type", "text/event-stream"},
          {"first_ms", 120},       {"moments_ms", {120, 240, 400}},
          {"longest_gap_ms", 160}, {"total_ms", 400},
          {"events", 4},           {"done", true}};
}

json completion() {
  return {{"status", 200}, {"ms", 300}, {"object", "chat.completion"}, {"choices", 1}, {"error", ""}};
}

json kept(int status, const char* cache) {
  return {{"status", status}, {"x-cache", cache}};
}

json limited(int status, const char* limit, const char* left, const char* again = "") {
  return {{"status", status}, {"x-ratelimit-limit", limit}, {"x-ratelimit-remaining", left}, {"retry-after", again}};
}

json files() {
  return {{"file",
           {{"path", "/etc/caddy/tls/origin.pem"},
            {"owner", "root"},
            {"mode", "0640"},
            {"problem", ""},
            {"subject", "CN=api.example.com"},
            {"issuer", "CN=Authority"},
            {"names", {"*.example.com", "example.com"}},
            {"not_before", "2026-10-01T00:00:00Z"},
            {"not_after", "2027-02-01T00:00:00Z"},
            {"fingerprint", "00"},
            {"public_key", "77"}}},
          {"key",
           {{"path", "/etc/caddy/tls/origin.key"},
            {"owner", "caddy"},
            {"mode", "0600"},
            {"problem", ""},
            {"public_key", "77"}}}};
}

const json kWithFiles = {{"name", "api.example.com"},
                         {"cloudflare", false},
                         {"file", "/etc/caddy/tls/origin.pem"},
                         {"key", "/etc/caddy/tls/origin.key"}};

[[maybe_unused]] const bool kPasses =
    passes("tls-versions", kAlone, {{"outside.tls", kTls}}) & passes("tls-newest", kAlone, {{"outside.tls", kTls}}) &
    passes("tls-ciphers", kAlone, {{"outside.tls", kTls}}) & passes("tls-versions", kBehind, {{"outside.tls", kTls}}) &
    passes("site-secure", kAlone, {{"outside.tls", kTls}, {"outside.redirect", kRedirect}}) &
    passes("site-secure", kWithFiles,
           {{"outside.tls", kTls}, {"outside.redirect", kRedirect}, {"certificate", files()}}) &
    passes("site-healthy", kAlone, {{"outside.health", {{"origin", answer(200)}, {"edge", answer(200)}}}}) &
    passes("completion-answered", kAlone, {{"outside.chat", completion()}}) &
    passes("stream-not-held-back", kAlone, {{"outside.stream", stream()}}) &
    passes("stream-keeps-alive", kAlone, {{"outside.stream", stream()}}) &
    passes("answers-kept", kAlone, {{"outside.kept", {{"answers", {kept(200, "miss"), kept(200, "hit")}}}}}) &
    passes("requests-limited", kAlone,
           {{"outside.limited", {{"answers", {limited(200, "100", "99"), limited(200, "100", "98")}}}}});

}  // namespace

TEST_CASE("TLS versions") {
  for (const auto& with : {kAlone, kBehind}) {
    CHECK(tls("tls-versions", with, "/origin/port", 443) == Verdict::kPass);
    CHECK(tls("tls-versions", with, "/origin/versions/1.0/outcome", "accepted") == Verdict::kFail);
    CHECK(tls("tls-versions", with, "/origin/versions/1.1/outcome", "accepted") == Verdict::kFail);
    CHECK(tls("tls-versions", with, "/origin/versions/1.1/outcome", "silent") == Verdict::kUnknown);
    CHECK(tls("tls-versions", with, "/origin/versions/1.0/outcome", "unable") == Verdict::kUnknown);
  }
  CHECK(tls("tls-versions", kAlone, "/edge/versions/1.0/outcome", "accepted") == Verdict::kPass);
  CHECK(tls("tls-versions", kBehind, "/edge/versions/1.0/outcome", "accepted") == Verdict::kFail);
  const auto nobody =
      handshakes({{"1.0", "unreachable"}, {"1.1", "unreachable"}, {"1.2", "unreachable"}, {"1.3", "unreachable"}});
  CHECK(tls("tls-versions", kAlone, "/origin/versions", nobody) == Verdict::kUnknown);
  CHECK(tls("tls-versions", kBehind, "/origin/versions", nobody) ==
        Verdict::kPass);  // an origin that only the edge reaches
  CHECK(tls("tls-versions", kBehind, "/edge/versions", nobody) == Verdict::kUnknown);
  CHECK(tls("tls-newest", kAlone, "/origin/versions/1.3/outcome", "refused") == Verdict::kFail);
  CHECK(tls("tls-newest", kAlone, "/origin/versions/1.2/outcome", "refused") == Verdict::kPass);
}

TEST_CASE("weak ciphers") {
  CHECK(tls("tls-ciphers", kAlone, "/origin/port", 443) == Verdict::kPass);
  for (const auto* family : {"rsa-key-exchange", "cbc", "3des"}) {
    CHECK(tls("tls-ciphers", kAlone, "/origin/weak_ciphers/" + std::string(family) + "/outcome", "accepted") ==
          Verdict::kFail);
    CHECK(tls("tls-ciphers", kAlone, "/origin/weak_ciphers/" + std::string(family) + "/outcome", "silent") ==
          Verdict::kUnknown);
  }
}

TEST_CASE("a site's certificate and redirect") {
  CHECK(tls("site-secure", kAlone, "/origin/port", 443) == Verdict::kPass);
  CHECK(tls("site-secure", kAlone, "/origin/certificate/days_left", 30) == Verdict::kFail);
  CHECK(tls("site-secure", kAlone, "/origin/certificate/days_left", 31) == Verdict::kPass);
  auto renewed = tls_side().at("certificate");
  renewed["days_left"] = 0;
  renewed["share_left"] = 0.5;  // of twelve hours
  CHECK(tls("site-secure", kAlone, "/origin/certificate", renewed) == Verdict::kPass);
  CHECK(tls("site-secure", kAlone, "/origin/certificate/days_left", -1) == Verdict::kFail);
  CHECK(tls("site-secure", kAlone, "/origin/certificate/name_matches", false) == Verdict::kFail);
  CHECK(tls("site-secure", kAlone, "/origin/certificate/chain", "self-signed certificate") == Verdict::kFail);
  CHECK(tls("site-secure", kAlone, "/origin/certificate", nullptr) == Verdict::kUnknown);
  CHECK(tls("site-secure", kBehind, "/origin/certificate/chain", "self-signed certificate") == Verdict::kPass);
  CHECK(tls("site-secure", kBehind, "/edge/certificate/chain", "self-signed certificate") == Verdict::kFail);
  auto own = kAlone;
  own["trusted"] = false;
  CHECK(tls("site-secure", own, "/origin/certificate/chain", "self-signed certificate") == Verdict::kPass);
  const auto plain = [](const json& said) {
    return judged("site-secure", kAlone,
                  record_of({{"outside.tls", kTls}, {"outside.redirect", {{"origin", said}, {"edge", said}}}}))
        .verdict;
  };
  CHECK(plain(answer(200)) == Verdict::kFail);
  CHECK(plain(answer(301, {{"location", "http://www.example.com/"}})) == Verdict::kFail);
  CHECK(plain(no_answer("outside.connect")) == Verdict::kPass);  // nothing listens: nothing is served in the clear
  CHECK(plain(no_answer("outside.timeout")) == Verdict::kUnknown);
}

TEST_CASE("the files of a site's certificate") {
  const auto seen = [](const std::string& pointer, const json& value) {
    return judged("site-secure", kWithFiles,
                  record_of({{"outside.tls", kTls},
                             {"outside.redirect", kRedirect},
                             {"certificate", with_value(files(), pointer, value)}}));
  };
  CHECK(seen("/file/mode", "0640").verdict == Verdict::kPass);
  const auto other = seen("/file/fingerprint", "11");
  CHECK(other.persistence == Persistence::kRuntimeOnly);
  CHECK(has_trap(other, "certificate-not-reloaded"));
  CHECK(seen("/key/public_key", "78").persistence == Persistence::kBootOnly);
  CHECK(seen("/key/mode", "0640").verdict == Verdict::kFail);
  CHECK(seen("/key/owner", "deploy").verdict == Verdict::kFail);
  CHECK(seen("/key/problem", "it is not there").persistence == Persistence::kBootOnly);
  CHECK(seen("/file/not_after", "2026-12-05T00:00:00Z").persistence == Persistence::kBootOnly);
  CHECK(seen("/file/not_after", "1970-01-01T00:00:00Z").verdict == Verdict::kUnknown);
  CHECK(seen("/file/names", {"*.api.example.com"}).verdict == Verdict::kFail);
}

TEST_CASE("health over https") {
  const auto seen = [](const json& with, const json& origin, const json& edge) {
    return judged("site-healthy", with, record_of({{"outside.health", {{"origin", origin}, {"edge", edge}}}}));
  };
  CHECK(seen(kAlone, answer(200), no_answer("outside.lookup")).verdict == Verdict::kPass);
  CHECK(seen(kAlone, answer(503), answer(200)).verdict == Verdict::kFail);
  CHECK(seen(kAlone, no_answer("outside.connect"), answer(200)).verdict == Verdict::kFail);
  CHECK(seen(kBehind, no_answer("outside.timeout"), answer(200)).verdict == Verdict::kPass);
  CHECK(seen(kBehind, answer(200), answer(522, {{"cf-ray", "1"}})).verdict == Verdict::kFail);
  const auto challenged = seen(kBehind, answer(200), answer(403, {{"cf-mitigated", "challenge"}}));
  CHECK(challenged.verdict == Verdict::kUnknown);
  CHECK(has_trap(challenged, "bot-fight-blocks-probes"));
}

TEST_CASE("a completion") {
  const auto seen = [](int status, const char* object, int choices) {
    const json said = {{"status", status}, {"ms", 300}, {"object", object}, {"choices", choices}, {"error", ""}};
    return judged("completion-answered", kAlone, record_of({{"outside.chat", said}}));
  };
  CHECK(seen(200, "chat.completion", 1).verdict == Verdict::kPass);
  CHECK(seen(200, "list", 0).verdict == Verdict::kFail);
  CHECK(seen(200, "chat.completion", 0).verdict == Verdict::kFail);
  CHECK(seen(401, "", 0).verdict == Verdict::kFail);
  CHECK(seen(502, "", 0).actual.find("the model behind it") != std::string::npos);
  CHECK(judged("completion-answered", kAlone, record_of({})).verdict == Verdict::kUnknown);
}

TEST_CASE("a stream") {
  const auto seen = [](const std::string& judgement, const std::string& pointer, const json& value) {
    return judged(judgement, kAlone, record_of({{"outside.stream", with_value(stream(), pointer, value)}}));
  };
  CHECK(seen("stream-not-held-back", "/total_ms", 400).verdict == Verdict::kPass);
  CHECK(has_trap(seen("stream-not-held-back", "/moments_ms", json::array({400})), "stream-held-back"));
  CHECK(seen("stream-not-held-back", "/moments_ms", json::array({400})).verdict == Verdict::kFail);
  CHECK(seen("stream-not-held-back", "/events", 1).verdict == Verdict::kUnknown);
  CHECK(seen("stream-not-held-back", "/done", false).verdict == Verdict::kFail);
  CHECK(seen("stream-not-held-back", "/content_type", "application/json").verdict == Verdict::kFail);
  CHECK(seen("stream-not-held-back", "/status", 500).verdict == Verdict::kFail);
  CHECK(seen("stream-keeps-alive", "/longest_gap_ms", 30'000).verdict == Verdict::kPass);
  CHECK(seen("stream-keeps-alive", "/longest_gap_ms", 30'001).verdict == Verdict::kWarn);
  CHECK(seen("stream-keeps-alive", "/longest_gap_ms", 90'000).verdict == Verdict::kFail);
}

TEST_CASE("answers that are kept") {
  const auto seen = [](const json& first, const json& second) {
    return judged("answers-kept", kAlone, record_of({{"outside.kept", {{"answers", {first, second}}}}})).verdict;
  };
  CHECK(seen(kept(200, "miss"), kept(200, "hit")) == Verdict::kPass);
  CHECK(seen(kept(200, "hit"), kept(200, "hit")) == Verdict::kPass);
  CHECK(seen(kept(200, "miss"), kept(200, "miss")) == Verdict::kFail);
  CHECK(seen(kept(200, ""), kept(200, "")) == Verdict::kFail);
  CHECK(seen(kept(200, "miss"), kept(502, "hit")) == Verdict::kUnknown);
}

TEST_CASE("requests that are limited") {
  const auto seen = [](const json& first, const json& second) {
    return judged("requests-limited", kAlone, record_of({{"outside.limited", {{"answers", {first, second}}}}})).verdict;
  };
  CHECK(seen(limited(200, "100", "99"), limited(200, "100", "98")) == Verdict::kPass);
  CHECK(seen(limited(200, "100", "99"), limited(200, "100", "99")) == Verdict::kFail);  // nothing counts
  CHECK(seen(limited(200, "", ""), limited(200, "", "")) == Verdict::kFail);
  CHECK(seen(limited(200, "100", "0"), limited(429, "100", "0", "12")) == Verdict::kPass);
  CHECK(seen(limited(200, "100", "0"), limited(429, "100", "0")) == Verdict::kWarn);
  CHECK(seen(limited(401, "", ""), limited(401, "", "")) == Verdict::kUnknown);
}

}  // namespace sentinel
