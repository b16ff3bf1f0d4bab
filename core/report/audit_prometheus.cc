// SPDX-License-Identifier: Apache-2.0
// Text format 0.0.4. Every sample is a gauge; nothing a host says is in a label, so the number of series is bounded by
// the checklist.
#include <fmt/format.h>

#include "core/base/clock.h"
#include "core/report/audit_facts.h"
#include "core/report/audit_formats.h"
#include "core/report/audit_summary.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

using Labels = std::vector<std::pair<const char*, std::string>>;

std::string labels_text(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    std::string escaped;
    for (const char c : printable_line(value)) {
      if (c == '\\' || c == '"') escaped += '\\';
      escaped += c;
    }
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escaped);
  }
  return out;
}

// A metric with its samples; left out when there are none.
class Metric {
 public:
  Metric(std::string name, std::string help) : name_(std::move(name)), help_(std::move(help)) {}

  void add(const Labels& labels, std::int64_t value) {
    samples_ += fmt::format("{}{{{}}} {}\n", name_, labels_text(labels), value);
  }

  std::string text() const {
    return samples_.empty() ? "" : fmt::format("# HELP {} {}\n# TYPE {} gauge\n{}", name_, help_, name_, samples_);
  }

 private:
  std::string name_;
  std::string help_;
  std::string samples_;
};

}  // namespace

std::string prometheus_text(const AuditReport& report) {
  Metric audited("sentinel_check_host_audited", "1 when the host could be audited, else 0.");
  Metric time("sentinel_check_timestamp_seconds", "When the host answered, in seconds since 1970.");
  Metric findings("sentinel_check_findings", "Controls by status.");
  Metric passed("sentinel_check_section_passed", "Controls of a section that pass.");
  Metric applicable("sentinel_check_section_applicable", "Controls of a section that apply.");
  Metric status("sentinel_check_control_status", "1 for the status a control has.");
  Metric waivers("sentinel_check_waiver_end_timestamp_seconds",
                 "When the waiver of a control ends or ended, in seconds since 1970.");
  for (const HostAudit& host : report.hosts) {
    const Labels whole{{"host", host.host}, {"profile", report.profile}};
    audited.add(whole, host.errors.empty() ? 1 : 0);
    if (!host.errors.empty()) continue;
    if (const auto seconds = unix_seconds(host.taken_at)) time.add(whole, *seconds);
    const auto with = [&](Labels more) {
      more.insert(more.begin(), whole.begin(), whole.end());
      return more;
    };
    for (const auto& [verdict, count] : count_verdicts(host)) {
      findings.add(with({{"status", name_of(kVerdictNames, verdict)}}), count);
    }
    for (const SectionScore& score : section_scores(host)) {
      passed.add(with({{"section", score.section}}), score.passed);
      applicable.add(with({{"section", score.section}}), score.applicable);
    }
    for (const Finding& finding : host.findings) {
      const Control& control = finding.control;
      status.add(with({{"control", control.id},
                       {"section", control.section},
                       {"severity", name_of(kSeverityNames, control.severity)},
                       {"status", name_of(kVerdictNames, finding.verdict)}}),
                 1);
      if (!finding.waiver) continue;
      // The last day counts as a whole.
      if (const auto day = unix_seconds(finding.waiver->until + "T23:59:59Z")) {
        waivers.add(with({{"control", control.id}}), *day + 1);
      }
    }
  }
  return audited.text() + time.text() + findings.text() + passed.text() + applicable.text() + status.text() +
         waivers.text();
}

}  // namespace sentinel
