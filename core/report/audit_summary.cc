// SPDX-License-Identifier: Apache-2.0
#include "core/report/audit_summary.h"

#include <algorithm>

#include "core/report/exit_status.h"

namespace sentinel {

std::map<Verdict, int> count_verdicts(const HostAudit& host) {
  std::map<Verdict, int> counts;
  for (const auto& [verdict, name] : kVerdictNames) counts[verdict] = 0;
  for (const auto& finding : host.findings) ++counts[finding.verdict];
  return counts;
}

int urgency_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFail: return 0;
    case Verdict::kUnknown: return 1;
    case Verdict::kWarn: return 2;
    case Verdict::kWaived: return 3;
    case Verdict::kPass: return 4;
    case Verdict::kNotApplicable: return 5;
  }
  return 1;
}

std::vector<std::pair<std::string, std::vector<const Finding*>>> by_section(const HostAudit& host) {
  std::vector<std::pair<std::string, std::vector<const Finding*>>> sections;
  for (const auto& finding : host.findings) {
    const auto& name = finding.control.section;
    auto section =
        std::find_if(sections.begin(), sections.end(), [&](const auto& known) { return known.first == name; });
    if (section == sections.end()) section = sections.insert(sections.end(), {name, {}});
    section->second.push_back(&finding);
  }
  for (auto& [name, findings] : sections) {
    std::stable_sort(findings.begin(), findings.end(), [](const Finding* a, const Finding* b) {
      const int left = urgency_of(a->verdict);
      const int right = urgency_of(b->verdict);
      return left != right ? left < right : a->control.severity > b->control.severity;
    });
  }
  return sections;
}

bool counts(const Finding& finding, const AuditThreshold& threshold) {
  const bool bad = finding.verdict == Verdict::kFail || (threshold.strict && finding.verdict == Verdict::kWarn);
  return bad && finding.control.severity >= threshold.fail_on;
}

namespace {

// Without a baseline everything is new.
bool is_new(const HostAudit& host, const Finding& finding) {
  if (!host.since_baseline) return true;
  const auto& worse = host.since_baseline->worse;
  return std::any_of(worse.begin(), worse.end(),
                     [&](const VerdictChange& change) { return change.control == finding.control.id; });
}

}  // namespace

ExitCode exit_code_of(const AuditReport& report, const AuditThreshold& threshold) {
  std::vector<ExitCode> unreached;
  bool found = false;
  bool unknown = false;
  for (const auto& host : report.hosts) {
    if (!host.errors.empty()) {
      unreached.push_back(host.errors.front().exit);
      continue;
    }
    for (const auto& finding : host.findings) {
      if (!is_new(host, finding)) continue;
      found = found || counts(finding, threshold);
      unknown = unknown || finding.verdict == Verdict::kUnknown;
    }
  }
  if (unreached.size() == report.hosts.size() && !unreached.empty()) return combined(unreached);
  if (!unreached.empty()) return ExitCode::kSomeHosts;
  if (found) return ExitCode::kFindings;
  return unknown ? ExitCode::kInconclusive : ExitCode::kDone;
}

}  // namespace sentinel
