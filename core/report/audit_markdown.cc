// SPDX-License-Identifier: Apache-2.0
// Tables hold only words and numbers of our own; what hosts say stands in code spans, where nothing formats or
// mentions.
#include <fmt/format.h>

#include "core/report/audit_facts.h"
#include "core/report/audit_formats.h"
#include "core/report/audit_summary.h"
#include "core/report/markup.h"

namespace sentinel {
namespace {

std::string heading_of(const Finding& finding) {
  return fmt::format("**{}** {} ({}, {})", markdown_text_of(finding.control.id),
                     markdown_text_of(finding.control.title), name_of(kVerdictNames, finding.verdict),
                     name_of(kSeverityNames, finding.control.severity));
}

std::string details_of(const Finding& finding) {
  std::string out = fmt::format("- {}\n", heading_of(finding));
  for (const FindingFact& fact : facts_of(finding))
    out += fmt::format("  - {}: {}\n", fact.label, markdown_code(fact.text));
  return out;
}

std::string word_of(const std::optional<Verdict>& verdict) {
  return verdict ? name_of(kVerdictNames, *verdict) : std::string("not asked");
}

std::string changes_of(const char* title, const std::vector<VerdictChange>& changes) {
  if (changes.empty()) return "";
  std::string out = fmt::format("\n#### {}\n\n", title);
  for (const VerdictChange& change : changes) {
    out += fmt::format("- **{}** {} → {}\n", markdown_text_of(change.control), word_of(change.before),
                       word_of(change.now));
  }
  return out;
}

std::string host_text(const AuditReport& report, const HostAudit& host) {
  std::string out = fmt::format("\n## {}\n\n", markdown_text_of(host.host));
  if (!host.errors.empty()) {
    return out + fmt::format("Could not be audited: {}\n", markdown_code(host.errors.front().message));
  }
  out += fmt::format("Profile {}, {}.", markdown_text_of(report.profile), markdown_text_of(host.taken_at));
  if (host.since_last && !delta_text(*host.since_last).empty()) {
    out += fmt::format(" {}.", markdown_text_of(delta_text(*host.since_last)));
  }
  out += "\n\n| section | passed | of |\n|---|---:|---:|\n";
  for (const SectionScore& score : section_scores(host)) {
    if (score.applicable == 0) continue;
    out += fmt::format("| {} | {} | {} |\n", markdown_text_of(score.section), score.passed, score.applicable);
  }
  if (host.since_baseline) {
    out += changes_of("Regressions against the baseline", host.since_baseline->worse);
    out += changes_of("Repaired since the baseline", host.since_baseline->better);
  }
  std::string rest;
  for (const auto& [section, findings] : by_section(host)) {
    std::string part;
    for (const Finding* finding : findings) {
      if (finding->verdict == Verdict::kPass || finding->verdict == Verdict::kNotApplicable) {
        rest += fmt::format("- {}\n", heading_of(*finding));
        if (finding->verdict == Verdict::kNotApplicable)
          rest += fmt::format("  - reason: {}\n", markdown_code(finding->reason));
      } else {
        part += details_of(*finding);
      }
    }
    if (!part.empty()) out += fmt::format("\n### {}\n\n{}", markdown_text_of(section), part);
  }
  if (!rest.empty()) out += "\n<details><summary>Passed and not applicable</summary>\n\n" + rest + "\n</details>\n";
  return out;
}

}  // namespace

std::string markdown_report(const AuditReport& report) {
  std::string out = fmt::format("# Audit of {}\n\n| host |", markdown_text_of(report.project));
  std::string rule = "\n|---|";
  for (const auto& [verdict, name] : kVerdictNames) {
    out += fmt::format(" {} |", name);
    rule += "---:|";
  }
  out += rule + "\n";
  for (const HostAudit& host : report.hosts) {
    out += fmt::format("| {} |", markdown_text_of(host.host));
    auto counts = count_verdicts(host);
    for (const auto& [verdict, name] : kVerdictNames) {
      out += host.errors.empty() ? fmt::format(" {} |", counts[verdict]) : std::string(" – |");
    }
    out += "\n";
  }
  for (const HostAudit& host : report.hosts) out += host_text(report, host);
  return out;
}

}  // namespace sentinel
