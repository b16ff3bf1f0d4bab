// SPDX-License-Identifier: Apache-2.0
// Recorded answers for judgements: a compliant host as JSON, changed by a patch, judged.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/audit/audit.h"

namespace sentinel {

/// Answers by probe.
using Answers = std::vector<std::pair<std::string, nlohmann::json>>;

inline HostRecord record_of(const Answers& answers) {
  HostRecord record;
  record.host = "web-1";
  record.taken_at = "2026-11-26T12:00:00.000Z";
  record.facts.hostname = "web-1";
  record.facts.memory_mb = 2048;
  for (const auto& [probe, value] : answers) record.observations[probe] = {probe, "recorded", value, {}, 1};
  return record;
}

inline Finding judged(const std::string& judgement, const nlohmann::json& with, const HostRecord& record) {
  Control control;
  control.id = "test-01";
  control.judgement = judgement;
  control.with = with;
  return judge(control, record);
}

inline bool has_trap(const Finding& finding, const std::string& name) {
  return std::any_of(finding.traps.begin(), finding.traps.end(), [&](const Trap& trap) { return trap.name == name; });
}

/// A judgement's parameters and answers it passes on; never_pass_test.cc takes each of them apart.
struct GoodCase {
  std::string judgement;
  nlohmann::json with;
  Answers answers;
};

inline std::vector<GoodCase>& good_cases() {
  static std::vector<GoodCase> all;
  return all;
}

/// Adds to them before the tests run.
inline bool passes(const std::string& judgement, const nlohmann::json& with, const Answers& answers) {
  good_cases().push_back({judgement, with, answers});
  return true;
}

/// A copy with the value at a JSON pointer replaced.
inline nlohmann::json with_value(nlohmann::json json, const std::string& pointer, nlohmann::json value) {
  json[nlohmann::json::json_pointer(pointer)] = std::move(value);
  return json;
}

/// One thing about a compliant host that is otherwise, and what is found then.
struct Otherwise {
  std::string pointer;
  nlohmann::json value;
  Verdict verdict = Verdict::kFail;
  std::optional<Persistence> persistence{};
};

/// `judge` says what it finds of an answer; `good` is one it has nothing against.
template <typename Judge>
void check_each(const nlohmann::json& good, const Judge& judge, const std::vector<Otherwise>& rows) {
  for (const auto& row : rows) {
    INFO(row.pointer << " is " << row.value.dump());
    const Finding finding = judge(with_value(good, row.pointer, row.value));
    CHECK(finding.verdict == row.verdict);
    if (row.persistence) CHECK(finding.persistence == *row.persistence);
  }
}

}  // namespace sentinel
