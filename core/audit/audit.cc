// SPDX-License-Identifier: Apache-2.0
// The one place where a judgement's error, or a value of the wrong shape, becomes a verdict: unknown.
#include "core/audit/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/audit/judgement.h"

namespace sentinel {
namespace {

/// Two orders of one probe: lists are united, everything else is the same or the first one's.
void merge(nlohmann::json& into, const nlohmann::json& more) {
  for (const auto& [key, value] : more.items()) {
    auto& place = into[key];
    if (place.is_null()) {
      place = value;
    } else if (place.is_array() && value.is_array()) {
      for (const auto& item : value) {
        if (std::find(place.begin(), place.end(), item) == place.end()) place.push_back(item);
      }
    }
  }
}

Judged unknown(const Error& why) {
  Judged out;
  out.reason = fmt::format("{}: {}", why.code, why.message);
  return out;
}

Judged judge_by(const Judgement& judgement, const Case& subject) {
  try {
    auto judged = judgement.judge(subject);
    if (judged.ok()) return std::move(judged).value();
    return unknown(judged.error());
  } catch (const nlohmann::json::exception& failure) {
    return unknown(
        Error("audit.garbled", std::string("a probe answered in another shape than expected: ") + failure.what()));
  }
}

std::uint64_t time_of(const Judgement& judgement, const Control& control, const HostRecord& record) {
  std::uint64_t sum = 0;
  for (const auto& order : judgement.probes(control.with)) {
    const auto found = record.observations.find(order.probe);
    if (found != record.observations.end()) sum += found->second.duration_us;
  }
  return sum;
}

/// What the steps that repair a finding would change is evidence too.
void add_steps(const HostRecord& record, Finding& finding) {
  for (const auto& step : finding.control.steps) {
    const auto pending = record.pending.find(step);
    if (pending == record.pending.end()) continue;
    for (const auto& change : pending->second) finding.evidence.push_back({"plan", change, step});
  }
}

}  // namespace

std::vector<ProbeOrder> orders_for(const std::vector<Control>& controls) {
  std::map<std::string, nlohmann::json> merged;
  for (const auto& control : controls) {
    const auto* judgement = find_judgement(control.judgement);
    if (judgement == nullptr || !control.excluded.empty()) continue;
    for (const auto& order : judgement->probes(control.with)) {
      auto& with = merged.try_emplace(order.probe, nlohmann::json::object()).first->second;
      merge(with, order.with);
    }
  }
  std::vector<ProbeOrder> out;
  for (auto& [probe, with] : merged) out.push_back({probe, std::move(with)});
  return out;
}

Finding judge(const Control& control, const HostRecord& record) {
  Finding out;
  out.control = control;
  const auto take = [&](Judged judged) {
    out.verdict = judged.verdict;
    out.persistence = judged.persistence;
    out.expected = std::move(judged.expected);
    out.actual = std::move(judged.actual);
    out.reason = std::move(judged.reason);
    out.evidence = std::move(judged.evidence);
    out.traps = std::move(judged.traps);
  };
  if (!control.excluded.empty()) {
    out.verdict = Verdict::kNotApplicable;
    out.reason = control.excluded;
    return out;
  }
  const auto* judgement = find_judgement(control.judgement);
  if (judgement == nullptr) {
    take(unknown(Error("audit.judgement", fmt::format("nobody knows the judgement '{}'", control.judgement))));
    return out;
  }
  take(judge_by(*judgement, Case(control, record)));
  out.duration_us = time_of(*judgement, control, record);
  if (out.verdict == Verdict::kFail || out.verdict == Verdict::kWarn) add_steps(record, out);
  return out;
}

HostAudit judge_all(const std::vector<Control>& controls, const HostRecord& record) {
  HostAudit out;
  out.host = record.host;
  out.taken_at = record.taken_at;
  for (const auto& control : controls) out.findings.push_back(judge(control, record));
  return out;
}

}  // namespace sentinel
