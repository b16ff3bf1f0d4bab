// SPDX-License-Identifier: Apache-2.0
#include "core/report/audit_document.h"

#include "core/report/audit_summary.h"

namespace sentinel {
namespace {

Document summary_of(const HostAudit& host) {
  const auto counts = count_verdicts(host);
  return {{"pass", counts.at(Verdict::kPass)},
          {"fail", counts.at(Verdict::kFail)},
          {"warn", counts.at(Verdict::kWarn)},
          {"unknown", counts.at(Verdict::kUnknown)},
          {"not_applicable", counts.at(Verdict::kNotApplicable)},
          {"waived", counts.at(Verdict::kWaived)}};
}

Document text_or_null(const std::string& text) {
  return text.empty() ? Document(nullptr) : Document(text);
}

Document waiver_of(const Finding& finding) {
  if (!finding.waiver) return nullptr;
  return {{"owner", finding.waiver->owner},
          {"reason", finding.waiver->reason},
          {"until", finding.waiver->until},
          {"expired", finding.waiver_expired}};
}

Document result_of(const Finding& finding) {
  const Control& control = finding.control;
  Document evidence = Document::array();
  for (const auto& item : finding.evidence) {
    evidence.push_back({{"probe", item.probe}, {"value", item.value}, {"origin", text_or_null(item.origin)}});
  }
  Document traps = Document::array();
  for (const auto& trap : finding.traps) {
    traps.push_back({{"name", trap.name}, {"cause", trap.cause}, {"repair", trap.repair}});
  }
  return {{"control", control.id},
          {"title", control.title},
          {"section", control.section},
          {"severity", name_of(kSeverityNames, control.severity)},
          {"status", name_of(kVerdictNames, finding.verdict)},
          {"persistence", name_of(kPersistenceNames, finding.persistence)},
          {"expected", text_or_null(finding.expected)},
          {"actual", text_or_null(finding.actual)},
          {"reason", text_or_null(finding.reason)},
          {"evidence", std::move(evidence)},
          {"traps", std::move(traps)},
          {"why", control.why},
          {"remediation", control.remediation},
          {"step", control.steps.empty() ? Document() : Document(control.steps.front())},
          {"steps", control.steps},
          {"references", control.references},
          {"waiver", waiver_of(finding)}};
}

Document changes_of(const std::vector<VerdictChange>& changes) {
  Document list = Document::array();
  for (const auto& change : changes) {
    list.push_back({{"control", change.control},
                    {"before", change.before ? Document(name_of(kVerdictNames, *change.before)) : Document()},
                    {"now", name_of(kVerdictNames, change.now)}});
  }
  return list;
}

Document delta_of(const std::optional<AuditDelta>& delta) {
  if (!delta) return nullptr;
  return {{"taken_at", text_or_null(delta->taken_at)},
          {"worse", changes_of(delta->worse)},
          {"better", changes_of(delta->better)}};
}

}  // namespace

Document audit_document(const AuditReport& report) {
  Document hosts = Document::array();
  for (const auto& host : report.hosts) {
    Document results = Document::array();
    for (const auto& finding : host.findings) results.push_back(result_of(finding));
    hosts.push_back({{"host", host.host},
                     {"taken_at", text_or_null(host.taken_at)},
                     {"duration_ms", host.duration_ms},
                     {"summary", summary_of(host)},
                     {"since_last", delta_of(host.since_last)},
                     {"since_baseline", delta_of(host.since_baseline)},
                     {"results", std::move(results)},
                     {"error", error_record(host.errors)}});
  }
  return {{"schema_version", kSchemaVersion}, {"version", report.version},   {"profile", report.profile},
          {"project", report.project},        {"taken_at", report.taken_at}, {"hosts", std::move(hosts)}};
}

}  // namespace sentinel
