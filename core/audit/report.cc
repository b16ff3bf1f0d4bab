// SPDX-License-Identifier: Apache-2.0
// The order matters: waivers change verdicts, and it is verdicts that are compared.
#include "core/audit/report.h"

#include "core/audit/audit.h"
#include "core/audit/waivers.h"

namespace sentinel {

AuditReport report_of(const EvidenceBundle& bundle) {
  AuditReport report{bundle.version, bundle.profile, bundle.project, bundle.taken_at, {}};
  const std::string today = bundle.taken_at.substr(0, 10);
  for (const HostEvidence& evidence : bundle.hosts) {
    HostAudit host;
    if (evidence.errors.empty()) {
      host = judge_all(evidence.controls, evidence.record);
      apply_waivers(host, evidence.waivers, today);
      host.history = evidence.history;
      if (!host.history.empty()) host.since_last = compared(host, host.history.back());
    }
    host.host = evidence.host;
    host.duration_ms = evidence.duration_ms;
    host.errors = evidence.errors;
    report.hosts.push_back(std::move(host));
  }
  return report;
}

void compare_with(AuditReport& report, const EarlierReport& baseline) {
  for (HostAudit& host : report.hosts) {
    if (!host.errors.empty()) continue;
    const auto earlier = baseline.hosts.find(host.host);
    host.since_baseline = compared(host, earlier == baseline.hosts.end() ? PastAudit{} : earlier->second.audit);
  }
}

}  // namespace sentinel
