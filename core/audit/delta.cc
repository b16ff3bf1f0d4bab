// SPDX-License-Identifier: Apache-2.0
// Verdicts are ranked by how much they ask of a person: none for pass, waived and a row that doesn't apply.
#include "core/audit/delta.h"

#include <fmt/format.h>

#include "core/model/json.h"

namespace sentinel {
namespace {

int concern(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
    case Verdict::kWaived:
    case Verdict::kNotApplicable: return 0;
    case Verdict::kWarn: return 1;
    case Verdict::kUnknown: return 2;
    case Verdict::kFail: return 3;
  }
  return 3;
}

bool is_repair(Verdict before, Verdict now) {
  if (concern(before) == 0) return false;
  return now == Verdict::kPass || now == Verdict::kNotApplicable || (before == Verdict::kFail && now == Verdict::kWarn);
}

bool needs_repair(Verdict verdict) {
  return verdict == Verdict::kFail || verdict == Verdict::kWarn;
}

Error no_report(const std::string& name, const std::string& why) {
  return Error("check.no-report", fmt::format("{} is not a JSON report of check: {}", name, why),
               "make one: sentinelctl check --format json --output FILE", ExitCode::kUsage);
}

/// Reports of earlier versions name at most one step.
std::vector<std::string> steps_of(const nlohmann::json& result) {
  if (const auto steps = result.find("steps"); steps != result.end()) return steps->get<std::vector<std::string>>();
  const auto& step = result.at("step");
  if (step.is_null()) return {};
  return {step.get<std::string>()};
}

}  // namespace

AuditDelta compared(const HostAudit& audit, const PastAudit& earlier) {
  AuditDelta out;
  out.taken_at = earlier.taken_at;
  for (const Finding& finding : audit.findings) {
    VerdictChange change{finding.control.id, std::nullopt, finding.verdict};
    if (const auto before = earlier.verdicts.find(finding.control.id); before != earlier.verdicts.end()) {
      change.before = before->second;
    }
    if (concern(change.now) > (change.before ? concern(*change.before) : 0)) {
      out.worse.push_back(change);
    } else if (change.before && is_repair(*change.before, change.now)) {
      out.better.push_back(change);
    }
  }
  return out;
}

PastAudit to_past_audit(const HostAudit& audit, const std::string& profile) {
  PastAudit out{audit.taken_at, profile, section_scores(audit), {}};
  for (const Finding& finding : audit.findings) out.verdicts[finding.control.id] = finding.verdict;
  return out;
}

Result<EarlierReport> read_report(const std::string& text, const std::string& name) {
  const auto json = parse_json(text);
  if (!json.ok()) return no_report(name, json.error().message);
  try {
    if (json->at("schema_version") != 1) return no_report(name, "another schema_version");
    EarlierReport out;
    json->at("profile").get_to(out.profile);
    for (const auto& entry : json->at("hosts")) {
      if (!entry.at("error").is_null()) continue;
      EarlierReport::Host host;
      host.audit.profile = out.profile;
      entry.at("taken_at").get_to(host.audit.taken_at);
      for (const auto& result : entry.at("results")) {
        const auto control = result.at("control").get<std::string>();
        const Verdict verdict = value_of(kVerdictNames, result.at("status"));
        host.audit.verdicts[control] = verdict;
        if (!needs_repair(verdict)) continue;
        host.repairs[control] = steps_of(result);
      }
      out.hosts[entry.at("host").get<std::string>()] = std::move(host);
    }
    return out;
  } catch (const nlohmann::json::exception& failure) {
    return no_report(name, failure.what());
  }
}

}  // namespace sentinel
