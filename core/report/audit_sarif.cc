// SPDX-License-Identifier: Apache-2.0
// SARIF 2.1.0 (OASIS, sections 3.13 to 3.58). A location is what a finding's first file is, in a tree named after the
// host, since consumers want a file; findings without one stand at the host itself.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/digest.h"
#include "core/report/audit_facts.h"
#include "core/report/audit_formats.h"
#include "core/report/documents.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

// What GitHub sorts by, 0.0 to 10.0: the middle of the CVSS v3.1 band of that name.
const char* score_of(Severity severity) {
  switch (severity) {
    case Severity::kCritical: return "9.5";
    case Severity::kHigh: return "8.0";
    case Severity::kMedium: return "5.5";
    case Severity::kLow: return "2.0";
    case Severity::kInfo: return "0.0";
  }
  return "0.0";
}

const char* level_of(Severity severity) {
  if (severity >= Severity::kHigh) return "error";
  return severity == Severity::kMedium ? "warning" : "note";
}

Document message(const std::string& text) {
  return {{"text", text}};
}

std::string or_title(const std::string& text, const Control& control) {
  return printable_line(text.empty() ? control.title : text);
}

Document rule_of(const Control& control) {
  Document tags = Document::array({"security", printable_line(control.section)});
  for (const std::string& reference : control.references) tags.push_back(printable_line(reference));
  return {{"id", control.id},
          {"shortDescription", message(printable_line(control.title))},
          {"fullDescription", message(or_title(control.why, control))},
          {"help", message(or_title(control.remediation, control))},
          {"defaultConfiguration", {{"level", level_of(control.severity)}}},
          {"properties", {{"security-severity", score_of(control.severity)}, {"tags", std::move(tags)}}}};
}

// RFC 3986: everything but unreserved characters and "/" is encoded.
std::string uri_path(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// "/etc/ssh/sshd_config:12" -> the file and 12.
std::pair<std::string, int> file_of(const Finding& finding) {
  for (const Evidence& evidence : finding.evidence) {
    const std::string& origin = evidence.origin;
    if (!origin.starts_with('/') || origin.find(' ') != std::string::npos) continue;
    const std::size_t colon = origin.rfind(':');
    const std::string digits = colon == std::string::npos ? "" : origin.substr(colon + 1);
    const bool numbered = !digits.empty() && digits.size() < 8 && digits[0] != '0' &&
                          std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    return numbered ? std::pair(origin.substr(0, colon), std::stoi(digits)) : std::pair(origin, 0);
  }
  return {"", 0};
}

Document location_of(const HostAudit& host, const Finding& finding) {
  const auto [file, line] = file_of(finding);
  // A whole file is line 1: GitHub's code scanning shows no result without a line.
  Document physical = {{"artifactLocation", {{"uri", uri_path(host.host + file)}}},
                       {"region", {{"startLine", std::max(line, 1)}}}};
  return {{"physicalLocation", std::move(physical)},
          {"logicalLocations",
           Document::array({{{"name", host.host},
                             {"fullyQualifiedName", printable_line(host.host + "/" + finding.control.section)},
                             {"kind", "resource"}}})}};
}

std::pair<const char*, const char*> kind_and_level(const Finding& finding) {
  switch (finding.verdict) {
    case Verdict::kFail:
    case Verdict::kWaived: return {"fail", level_of(finding.control.severity)};
    case Verdict::kWarn: return {"fail", "note"};
    case Verdict::kPass: return {"pass", "none"};
    case Verdict::kUnknown: return {"open", "none"};
    case Verdict::kNotApplicable: return {"notApplicable", "none"};
  }
  return {"open", "none"};
}

const char* baseline_state(const HostAudit& host, const Finding& finding) {
  const auto names = [&](const VerdictChange& change) { return change.control == finding.control.id; };
  const auto& delta = *host.since_baseline;
  if (std::any_of(delta.worse.begin(), delta.worse.end(), names)) return "new";
  return std::any_of(delta.better.begin(), delta.better.end(), names) ? "updated" : "unchanged";
}

Document result_of(const HostAudit& host, const Finding& finding, std::size_t rule) {
  const auto [kind, level] = kind_and_level(finding);
  std::string text = printable_line(host.host + ": " + gist_of(finding));
  if (const auto details = facts_text(finding); !details.empty()) text += "\n" + details;
  Document out = {{"ruleId", finding.control.id},
                  {"ruleIndex", rule},
                  {"kind", kind},
                  {"level", level},
                  {"message", message(text)},
                  {"locations", Document::array({location_of(host, finding)})},
                  {"partialFingerprints", {{"hostControl/v1", sha256_hex(host.host + "\n" + finding.control.id)}}},
                  {"properties",
                   {{"status", name_of(kVerdictNames, finding.verdict)},
                    {"persistence", name_of(kPersistenceNames, finding.persistence)}}}};
  if (finding.verdict == Verdict::kWaived && finding.waiver) {
    out["suppressions"] = Document::array(
        {{{"kind", "external"}, {"status", "accepted"}, {"justification", printable_line(gist_of(finding))}}});
  }
  if (host.since_baseline) out["baselineState"] = baseline_state(host, finding);
  return out;
}

Document invocation_of(const AuditReport& report) {
  Document notifications = Document::array();
  for (const HostAudit& host : report.hosts) {
    for (const Error& error : host.errors) {
      notifications.push_back({{"level", "error"},
                               {"descriptor", {{"id", error.code}}},
                               {"message", message(printable_line(host.host + ": " + error.message))}});
    }
  }
  return {{"executionSuccessful", notifications.empty()},
          {"startTimeUtc", report.taken_at},
          {"toolExecutionNotifications", std::move(notifications)}};
}

}  // namespace

std::string sarif_text(const AuditReport& report) {
  std::map<std::string, std::size_t> indices;
  Document rules = Document::array();
  Document results = Document::array();
  for (const HostAudit& host : report.hosts) {
    for (const Finding& finding : host.findings) {
      const auto [rule, added] = indices.emplace(finding.control.id, rules.size());
      if (added) rules.push_back(rule_of(finding.control));
      results.push_back(result_of(host, finding, rule->second));
    }
  }
  Document run = {
      {"tool", {{"driver", {{"name", "sentinelctl"}, {"version", report.version}, {"rules", std::move(rules)}}}}},
      {"automationDetails", {{"id", printable_line(fmt::format("check/{}/", report.profile))}}},
      {"invocations", Document::array({invocation_of(report)})},
      {"results", std::move(results)}};
  return document_text({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                        {"version", "2.1.0"},
                        {"runs", Document::array({std::move(run)})}});
}

}  // namespace sentinel
