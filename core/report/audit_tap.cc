// SPDX-License-Identifier: Apache-2.0
// TAP 14: a backslash escapes itself and "#" in descriptions; YAML blocks are indented by two and hold JSON strings,
// which are YAML.
#include <fmt/format.h>

#include "core/report/audit_facts.h"
#include "core/report/audit_formats.h"
#include "core/report/documents.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

std::string description(std::string_view text) {
  std::string out;
  for (const char c : printable_line(text)) {
    if (c == '#' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string yaml_text(std::string_view text) {
  return Document(printable_line(text)).dump(-1, ' ', false, Document::error_handler_t::replace);
}

std::string details_of(const Finding& finding) {
  std::string out = "  ---\n";
  out += fmt::format("  status: {}\n  severity: {}\n", name_of(kVerdictNames, finding.verdict),
                     name_of(kSeverityNames, finding.control.severity));
  std::string list;
  for (const FindingFact& fact : facts_of(finding))
    list += fmt::format("    - {}: {}\n", fact.label, yaml_text(fact.text));
  if (!list.empty()) out += "  facts:\n" + list;
  return out + "  ...\n";
}

std::string test_of(int number, const HostAudit& host, const Finding& finding) {
  const bool skipped = finding.verdict == Verdict::kNotApplicable || finding.verdict == Verdict::kWaived;
  const bool good = skipped || finding.verdict == Verdict::kPass || finding.verdict == Verdict::kWarn;
  std::string out = fmt::format("{} {} - {} {} {}", good ? "ok" : "not ok", number, description(host.host),
                                description(finding.control.id), description(finding.control.title));
  if (skipped) out += " # SKIP " + description(gist_of(finding));
  out += "\n";
  if (finding.verdict != Verdict::kPass && finding.verdict != Verdict::kNotApplicable) out += details_of(finding);
  return out;
}

}  // namespace

std::string tap_text(const AuditReport& report) {
  int number = 0;
  std::string tests;
  for (const HostAudit& host : report.hosts) {
    for (const Finding& finding : host.findings) tests += test_of(++number, host, finding);
    if (host.errors.empty()) continue;
    const Error& error = host.errors.front();
    tests += fmt::format("not ok {} - {} could not be audited\n  ---\n  code: {}\n  message: {}\n  ...\n", ++number,
                         description(host.host), yaml_text(error.code), yaml_text(error.message));
  }
  return fmt::format("TAP version 13\n1..{}\n{}", number, tests);
}

}  // namespace sentinel
