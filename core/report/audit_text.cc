// SPDX-License-Identifier: Apache-2.0
// What stands in findings comes from hosts: every text passes printable_line.
#include "core/report/audit_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/report/audit_facts.h"
#include "core/report/audit_summary.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

constexpr std::size_t kShownEvidence = 8;
constexpr const char* kIndent = "        ";

std::string word_of(Verdict verdict, const Style& style) {
  switch (verdict) {
    case Verdict::kFail: return style.red("FAIL");
    case Verdict::kUnknown: return style.yellow("????");
    case Verdict::kWarn: return style.yellow("warn");
    case Verdict::kWaived: return style.cyan("wavd");
    case Verdict::kPass: return style.green("pass");
    case Verdict::kNotApplicable: return style.dim("n/a ");
  }
  return "????";
}

std::string side_of(const Finding& finding) {
  const bool bad = finding.verdict == Verdict::kFail;
  switch (finding.persistence) {
    case Persistence::kRuntimeOnly: return bad ? " (now; a reboot would mend it)" : " (now; not after a reboot)";
    case Persistence::kBootOnly: return bad ? " (after a reboot; not now)" : " (only after a reboot)";
    case Persistence::kBoth:
    case Persistence::kNone: return "";
  }
  return "";
}

void add_line(std::string& out, const std::string& label, const std::string& text) {
  if (!text.empty()) out += fmt::format("{}{:<9} {}\n", kIndent, label, printable_line(text));
}

std::string text_of(const std::vector<std::string>& steps) {
  return fmt::format("{} {}", steps.size() == 1 ? "step" : "steps", fmt::join(steps, ", "));
}

void add_evidence(std::string& out, const Finding& finding, bool all) {
  std::size_t shown = 0;
  for (const auto& item : finding.evidence) {
    if (!all && shown++ == kShownEvidence) {
      add_line(out, "", fmt::format("and {} more; see --format json", finding.evidence.size() - kShownEvidence));
      return;
    }
    const auto origin = item.origin.empty() ? item.probe : item.origin;
    add_line(out, "seen", fmt::format("{}  [{}]", item.value, origin));
  }
}

void add_details(std::string& out, const Finding& finding, bool verbose) {
  const bool good = finding.verdict == Verdict::kPass;
  if (good && !verbose) return;
  add_line(out, good ? "so" : "but", finding.actual.empty() ? finding.reason : finding.actual + side_of(finding));
  if (!good) add_line(out, "wanted", finding.expected);
  add_evidence(out, finding, verbose);
  for (const auto& trap : finding.traps) {
    add_line(out, "trap", fmt::format("{}: {}", trap.name, trap.cause));
    add_line(out, "", "-> " + trap.repair);
  }
  if (finding.waiver) {
    add_line(out, "waiver",
             fmt::format("{} until {} by {}: {}", finding.waiver_expired ? "EXPIRED," : "holds", finding.waiver->until,
                         finding.waiver->owner, finding.waiver->reason));
  }
  if (finding.verdict != Verdict::kFail && finding.verdict != Verdict::kWarn) return;
  add_line(out, "why", finding.control.why);
  const auto& steps = finding.control.steps;
  add_line(out, "repair", finding.control.remediation + (steps.empty() ? "" : fmt::format(" [{}]", text_of(steps))));
}

void add_finding(std::string& out, const Finding& finding, const AuditTextOptions& options) {
  out += fmt::format("  {}  {}  {}\n", word_of(finding.verdict, options.style), printable_line(finding.control.id),
                     printable_line(finding.verdict == Verdict::kPass
                                        ? finding.control.title
                                        : fmt::format("{} ({})", finding.control.title,
                                                      name_of(kSeverityNames, finding.control.severity))));
  add_details(out, finding, options.verbose);
}

std::string not_applicable_text(const HostAudit& host) {
  std::string out;
  for (const auto& finding : host.findings) {
    if (finding.verdict != Verdict::kNotApplicable) continue;
    out += fmt::format("  {}  {}: {}\n", printable_line(finding.control.id), printable_line(finding.control.title),
                       printable_line(finding.reason));
  }
  return out;
}

/// What to do next on this host.
std::string next_text(const HostAudit& host) {
  bool failed = false;
  bool unknown = false;
  bool has_step = false;
  for (const auto& finding : host.findings) {
    failed = failed || finding.verdict == Verdict::kFail;
    unknown = unknown || finding.verdict == Verdict::kUnknown;
    has_step = has_step || (finding.verdict == Verdict::kFail && !finding.control.steps.empty());
  }
  std::string out;
  if (has_step) {
    out +=
        fmt::format("Next: sentinelctl plan -H {} shows what would repair it, sentinelctl bootstrap -H {} does it.\n",
                    printable_line(host.host), printable_line(host.host));
  } else if (failed) {
    out += "Next: what failed has no step in the playbook; each finding says what to do.\n";
  }
  if (unknown)
    out +=
        "What could not be judged is no pass: see its reason, mend what keeps it from being seen, and check again.\n";
  return out;
}

std::string counts_text(const HostAudit& host) {
  std::vector<std::string> words;
  for (const auto& [verdict, name] : kVerdictNames) {
    const int count = count_verdicts(host).at(verdict);
    if (count > 0)
      words.push_back(fmt::format("{} {}", count, verdict == Verdict::kNotApplicable ? "not applicable" : name));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

/// What became worse comes first: it is what a baseline is for.
std::string baseline_text(const HostAudit& host, const Style& style) {
  if (!host.since_baseline) return "";
  const AuditDelta& delta = *host.since_baseline;
  std::string out = delta.worse.empty() ? "No regression against the baseline.\n"
                                        : style.red("Regressions") + ": " + changes_text(delta.worse) + "\n";
  if (!delta.better.empty()) out += "Repaired since the baseline: " + changes_text(delta.better) + "\n";
  return out + "\n";
}

std::string since_last_text(const HostAudit& host) {
  if (!host.since_last) return "";
  const std::string delta = delta_text(*host.since_last);
  if (delta.empty()) return "";
  std::string out = "Since the last check: " + delta + "\n";
  if (!host.since_last->worse.empty()) out += "  worse: " + changes_text(host.since_last->worse) + "\n";
  if (!host.since_last->better.empty()) out += "  better: " + changes_text(host.since_last->better) + "\n";
  return out;
}

}  // namespace

std::string audit_text(const AuditReport& report, const AuditTextOptions& options) {
  std::string out;
  for (const auto& host : report.hosts) {
    if (!host.errors.empty()) continue;
    out += options.style.bold(fmt::format("{} (profile {}, {})", printable_line(host.host),
                                          printable_line(report.profile), printable_line(host.taken_at))) +
           "\n\n" + baseline_text(host, options.style);
    for (const auto& [section, findings] : by_section(host)) {
      std::string part;
      for (const auto* finding : findings) {
        if (finding->verdict != Verdict::kNotApplicable) add_finding(part, *finding, options);
      }
      if (!part.empty()) out += options.style.bold(printable_line(section)) + "\n" + part + "\n";
    }
    if (const auto rest = not_applicable_text(host); !rest.empty()) {
      out += options.style.bold("Not applicable") + "\n" + rest + "\n";
    }
    out += fmt::format("{}: {}\n", printable_line(host.host), counts_text(host)) + since_last_text(host) +
           next_text(host) + "\n";
  }
  return out;
}

std::string audit_summary_text(const AuditReport& report) {
  std::string out;
  for (const auto& host : report.hosts) {
    if (host.errors.empty()) out += fmt::format("{}: {}\n", printable_line(host.host), counts_text(host));
  }
  return out;
}

}  // namespace sentinel
