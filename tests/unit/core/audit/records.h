// SPDX-License-Identifier: Apache-2.0
// Recorded answers for judgements: a compliant host as JSON, changed by a patch, judged.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/audit/audit.h"

namespace sentinel {

/// Answers by probe.
using Answers = std::vector<std::pair<std::string, nlohmann::json>>;

inline HostRecord record_of(const Answers& answers) {
  HostRecord record;
  record.host = "web-1";
  record.taken_at = "2026-11-26T12:00:00.000Z";
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

/// A copy with the value at a JSON pointer replaced.
inline nlohmann::json with_value(nlohmann::json json, const std::string& pointer, nlohmann::json value) {
  json[nlohmann::json::json_pointer(pointer)] = std::move(value);
  return json;
}

/// Every probe a judgement asks, one at a time: missing, failed, empty, of another shape. None of them may pass, and
/// none may end the program. Returns the first case that gave anything but unknown; empty: all were unknown.
inline std::string first_that_is_not_unknown(const std::string& judgement, const nlohmann::json& with,
                                             const Answers& answers) {
  for (const auto& [probe, value] : answers) {
    std::vector<std::pair<std::string, HostRecord>> broken;
    const auto add = [&](const std::string& how) -> Observation& {
      broken.emplace_back(probe + " " + how, record_of(answers));
      return broken.back().second.observations[probe];
    };
    broken.emplace_back(probe + " missing", record_of(answers));
    broken.back().second.observations.erase(probe);
    add("failed").error = Error("probe.failed", "denied");
    add("null").value = nullptr;
    add("empty").value = nlohmann::json::object();
    add("a number").value = 1970;
    add("in another language").value = {{"nachricht", "nicht gefunden"}};
    for (const auto& [how, record] : broken) {
      if (judged(judgement, with, record).verdict != Verdict::kUnknown) return how;
    }
  }
  return {};
}

}  // namespace sentinel
