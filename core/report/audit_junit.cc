// SPDX-License-Identifier: Apache-2.0
// The dialect most readers share: testsuites > testsuite > properties, testcase > failure | error | skipped,
// system-out.
#include <fmt/format.h>

#include <map>

#include "core/report/audit_facts.h"
#include "core/report/audit_formats.h"
#include "core/report/audit_summary.h"
#include "core/report/markup.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

struct Counts {
  int tests = 0;
  int failures = 0;
  int errors = 0;
  int skipped = 0;
  std::uint64_t microseconds = 0;

  void add(const Counts& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
    microseconds += other.microseconds;
  }
};

Counts counts_of(const HostAudit& host) {
  if (!host.errors.empty()) return {1, 0, 1, 0, 0};
  auto verdicts = count_verdicts(host);
  Counts out{static_cast<int>(host.findings.size()), verdicts[Verdict::kFail], verdicts[Verdict::kUnknown],
             verdicts[Verdict::kNotApplicable] + verdicts[Verdict::kWaived], 0};
  for (const Finding& finding : host.findings) out.microseconds += finding.duration_us;
  return out;
}

std::string seconds(std::uint64_t microseconds) {
  return fmt::format("{:.6f}", static_cast<double>(microseconds) / 1e6);
}

std::string attributes_of(const Counts& counts) {
  return fmt::format(R"( tests="{}" failures="{}" errors="{}" skipped="{}" time="{}")", counts.tests, counts.failures,
                     counts.errors, counts.skipped, seconds(counts.microseconds));
}

// Several lines: newlines stay, each line is escaped.
std::string lines_of(const std::string& text) {
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out += markup_text(std::string_view(text).substr(begin, end - begin));
    if (end < text.size()) out += '\n';
    begin = end + 1;
  }
  return out;
}

std::string outcome_of(const Finding& finding) {
  const auto element = [&](const char* name) {
    return fmt::format("<{} type=\"{}\" message=\"{}\">{}</{}>", name,
                       name_of(kSeverityNames, finding.control.severity), markup_text(gist_of(finding)),
                       lines_of(facts_text(finding)), name);
  };
  switch (finding.verdict) {
    case Verdict::kFail: return element("failure");
    case Verdict::kUnknown: return element("error");
    case Verdict::kWaived:
    case Verdict::kNotApplicable: return fmt::format("<skipped message=\"{}\"/>", markup_text(gist_of(finding)));
    case Verdict::kPass:
    case Verdict::kWarn: return "";
  }
  return "";
}

std::string case_of(const HostAudit& host, const Finding& finding) {
  std::string out = fmt::format("    <testcase classname=\"{}.{}\" name=\"{} {}\" time=\"{}\">", markup_text(host.host),
                                markup_text(finding.control.section), markup_text(finding.control.id),
                                markup_text(finding.control.title), seconds(finding.duration_us));
  out += outcome_of(finding);
  if (finding.verdict == Verdict::kPass || finding.verdict == Verdict::kWarn || finding.verdict == Verdict::kWaived) {
    const char* word = finding.verdict == Verdict::kWarn ? "warning\n" : "";
    out += fmt::format("<system-out>{}{}</system-out>", word, lines_of(facts_text(finding)));
  }
  return out + "</testcase>\n";
}

std::string suite_of(const AuditReport& report, const HostAudit& host) {
  // Whole seconds without a zone: what the schema of Apache Ant's JUnit task calls ISO8601_DATETIME_PATTERN.
  const std::string time = (host.taken_at.empty() ? report.taken_at : host.taken_at).substr(0, 19);
  std::string out =
      fmt::format("  <testsuite name=\"{}\"{} timestamp=\"{}\" hostname=\"{}\">\n", markup_text(host.host),
                  attributes_of(counts_of(host)), markup_text(time), markup_text(host.host));
  out += fmt::format("    <properties><property name=\"profile\" value=\"{}\"/></properties>\n",
                     markup_text(report.profile));
  for (const Finding& finding : host.findings) out += case_of(host, finding);
  if (!host.errors.empty()) {
    const Error& error = host.errors.front();
    out += fmt::format(
        "    <testcase classname=\"{}\" name=\"audit\" time=\"0\"><error type=\"{}\" message=\"{}\"/></testcase>\n",
        markup_text(host.host), markup_text(error.code), markup_text(error.message));
  }
  return out + "  </testsuite>\n";
}

}  // namespace

std::string junit_text(const AuditReport& report) {
  Counts all;
  std::string suites;
  for (const HostAudit& host : report.hosts) {
    all.add(counts_of(host));
    suites += suite_of(report, host);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"sentinelctl check {}\"{}>\n{}</testsuites>\n",
      markup_text(report.profile), attributes_of(all), suites);
}

}  // namespace sentinel
