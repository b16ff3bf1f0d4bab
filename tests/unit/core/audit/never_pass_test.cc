// SPDX-License-Identifier: Apache-2.0
// No control passes by default. Each judgement has answers it passes on (records.h); here each of them is taken apart:
// every probe is missing, denied, timed out, empty, in another shape, in another language; then every single value of
// every answer is missing, null, or of another type. Whatever a verdict depends on, a pass without it is a mistake.
#include <set>

#include <catch2/catch.hpp>

#include "core/audit/judgement.h"
#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

Finding finding_of(const GoodCase& good, const Answers& answers) {
  return judged(good.judgement, good.with, record_of(answers));
}

/// Pointers to every value inside.
void collect(const json& value, const json::json_pointer& here, std::vector<json::json_pointer>& out) {
  if (!here.empty()) out.push_back(here);
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) collect(inner, here / key, out);
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) collect(value.at(i), here / i, out);
  }
}

/// Values of another type.
std::vector<json> others_than(const json& value) {
  std::vector<json> out;
  for (const json& other : {json(1970), json("1970-01-01T00:00:00Z"), json(true), json{{"nachricht", "nicht gefunden"}},
                            json::array({json::array()})}) {
    // The library reads true as the number 1.
    const bool alike = other.type() == value.type() || ((other.is_number() || other.is_boolean()) && value.is_number());
    if (!alike) out.push_back(other);
  }
  return out;
}

/// What a bad value may be.
std::vector<json> changes_of(const json& value) {
  if (value.is_boolean()) return {!value.get<bool>()};
  if (value.is_number()) return {-1, 0, 1'000'000'000, -4'000'000'000'000'000'000};
  if (value.is_string()) return {"", "no", "yes", "nonsense", "0.0.0.0", "1"};
  if (value.is_array()) return {json::array()};
  return {json::object()};
}

/// Places where a value may be missing or null and nothing is hidden by that.
bool may_be_without(const std::string& judgement, const std::string& place) {
  static const std::vector<std::pair<std::string, std::string>> kPlaces{
      {"app-environment", "OPENAI_API_KEY"},                // a variable less
      {"caddy-site", "timeout_s"},                          // no limit to wait
      {"firewall-closed", "-before-input"},                 // the kernel has no jump to a chain that isn't there
      {"fail2ban-sshd", "/jail/ports/iptables-multiport"},  // what closes every port names none
      {"tls-ciphers", "/versions/1.0"},                     // any handshake that was answered is enough for these two
      {"tls-newest", "/versions/1.0"},
  };
  return std::any_of(kPlaces.begin(), kPlaces.end(),
                     [&](const auto& each) { return each.first == judgement && place.ends_with(each.second); });
}

bool has_verdict(const GoodCase& good, const std::string& probe, const json::json_pointer& place, const json& value,
                 Verdict verdict) {
  auto answers = good.answers;
  for (auto& [name, seen] : answers) {
    if (name == probe) seen[place] = value;
  }
  return finding_of(good, answers).verdict == verdict;
}

/// The value is missing; its place is null in an array.
Verdict verdict_without(const GoodCase& good, const std::string& probe, const json::json_pointer& place) {
  auto answers = good.answers;
  for (auto& [name, seen] : answers) {
    if (name != probe) continue;
    auto& parent = seen.at(place.parent_pointer());
    if (parent.is_object()) parent.erase(place.back());
    if (parent.is_array()) parent[std::stoul(place.back())] = nullptr;
  }
  return finding_of(good, answers).verdict;
}

}  // namespace

TEST_CASE("each judgement has answers it passes on, of all the probes it asks") {
  std::set<std::string> named;
  for (const auto& good : good_cases()) {
    CAPTURE(good.judgement, good.with.dump());
    const auto finding = finding_of(good, good.answers);
    INFO(finding.actual << finding.reason);
    CHECK(finding.verdict == Verdict::kPass);
    std::set<std::string> asked;
    std::set<std::string> answered;
    for (const auto& order : find_judgement(good.judgement)->probes(good.with)) asked.insert(order.probe);
    for (const auto& [probe, value] : good.answers) answered.insert(probe);
    CHECK(asked == answered);
    named.insert(good.judgement);
  }
  named.insert("steps-in-place");  // asks no probe: audit_test.cc
  for (const auto& judgement : judgements()) {
    CAPTURE(judgement.name);
    CHECK(named.contains(std::string(judgement.name)));
  }
}

TEST_CASE("a probe without an answer, or with one that means nothing, makes it unknown") {
  for (const auto& good : good_cases()) {
    for (const auto& [probe, value] : good.answers) {
      CAPTURE(good.judgement, good.with.dump(), probe);
      auto record = record_of(good.answers);
      record.observations.erase(probe);
      CHECK(judged(good.judgement, good.with, record).verdict == Verdict::kUnknown);
      for (const auto* code : {"probe.absent", "probe.failed", "process.timeout", "system.EACCES"}) {
        record = record_of(good.answers);
        record.observations[probe].value = nullptr;
        record.observations[probe].error = Error(code, "no answer");
        CHECK(judged(good.judgement, good.with, record).verdict == Verdict::kUnknown);
      }
      for (const json& other : {json(nullptr), json::object(), json::array(), json(""), json(1970), json(true),
                                json("1970-01-01T00:00:00Z"), json{{"nachricht", "nicht gefunden"}}}) {
        CAPTURE(other.dump());
        record = record_of(good.answers);
        record.observations[probe].value = other;
        CHECK(judged(good.judgement, good.with, record).verdict == Verdict::kUnknown);
      }
    }
  }
}

TEST_CASE("a value that a verdict depends on can't be left out") {
  for (const auto& good : good_cases()) {
    for (const auto& [probe, whole] : good.answers) {
      std::vector<json::json_pointer> places;
      collect(whole, json::json_pointer(), places);
      for (const auto& place : places) {
        CAPTURE(good.judgement, good.with.dump(), probe, place.to_string());
        const auto& value = whole.at(place);
        bool decides = false;
        for (const auto& other : changes_of(value))
          decides = decides || !has_verdict(good, probe, place, other, Verdict::kPass);
        if (!decides) continue;
        const bool optional = may_be_without(good.judgement, place.to_string());
        if (!optional) CHECK(verdict_without(good, probe, place) != Verdict::kPass);
        for (const auto& other : others_than(value)) {
          CAPTURE(other.dump());
          CHECK_FALSE(has_verdict(good, probe, place, other, Verdict::kPass));
        }
        if (!value.is_null() && !optional) CHECK_FALSE(has_verdict(good, probe, place, nullptr, Verdict::kPass));
      }
    }
  }
}

}  // namespace sentinel
