// SPDX-License-Identifier: Apache-2.0
// Answers come from outside: terminals get them printable, XML gets only characters it may hold.
#include "core/report/gate_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/report/printable.h"

namespace sentinel {
namespace {

bool has_failed_probe(const GateVerdict& verdict) {
  return std::any_of(verdict.probes.begin(), verdict.probes.end(),
                     [](const ProbeRecord& probe) { return !probe.passed; });
}

std::string xml(const std::string& text) {
  std::string out;
  for (const char c : printable_line(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out.push_back(c);
    }
  }
  return out;
}

std::string failure(const std::string& message) {
  return fmt::format("<failure type=\"unhealthy\" message=\"{0}\">{0}</failure>", xml(message));
}

std::string test_case(const std::string& name, const std::string& kind, const std::string& inside) {
  return fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"0.000\">{}</testcase>\n", xml(kind), xml(name),
                     inside);
}

std::string answers(const ProbeRecord& probe) {
  if (probe.attempts == 0) return "not asked";
  return fmt::format("{} (asked {} time{})", probe.last, probe.attempts, probe.attempts == 1 ? "" : "s");
}

}  // namespace

Document gate_document(const GateVerdict& verdict) {
  Document probes = Document::array();
  for (const auto& probe : verdict.probes) {
    probes.push_back({{"probe", probe.probe},
                      {"kind", name_of(probe.kind)},
                      {"passed", probe.passed},
                      {"attempts", probe.attempts},
                      {"in_a_row", probe.in_a_row},
                      {"needed", probe.needed},
                      {"last", probe.last.empty() ? Document() : Document(probe.last)},
                      {"last_failure", probe.last_failure.empty() ? Document() : Document(probe.last_failure)}});
  }
  return {{"schema_version", kSchemaVersion}, {"healthy", verdict.healthy},  {"reason", verdict.reason},
          {"elapsed_ms", verdict.elapsed_ms}, {"probes", std::move(probes)}, {"error", Document()}};
}

std::string gate_text(const GateVerdict& verdict) {
  std::string out;
  for (const auto& probe : verdict.probes) {
    out += fmt::format("{} {}: {}\n", probe.passed ? "ok  " : "FAIL", printable_line(probe.probe),
                       printable_line(answers(probe)));
  }
  return out + fmt::format("{} after {:.1f} s: {}\n", verdict.healthy ? "healthy" : "unhealthy",
                           static_cast<double>(verdict.elapsed_ms) / 1000, printable_line(verdict.reason));
}

std::string junit_text(const GateVerdict& verdict, const std::string& suite) {
  std::string cases;
  std::size_t failures = 0;
  for (const auto& probe : verdict.probes) {
    if (!probe.passed) ++failures;
    cases += test_case(probe.probe, name_of(probe.kind), probe.passed ? "" : failure(answers(probe)));
  }
  std::size_t tests = verdict.probes.size();
  if (!verdict.healthy && !has_failed_probe(verdict)) {
    ++failures;
    ++tests;
    cases += test_case("verdict", "gate", failure(verdict.reason));
  }
  const std::string totals = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\" time=\"{:.3f}\"",
                                         tests, failures, static_cast<double>(verdict.elapsed_ms) / 1000);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {0}>\n  <testsuite name=\"{1}\" {0}>\n{2}  "
      "</testsuite>\n"
      "</testsuites>\n",
      totals, xml(suite), cases);
}

}  // namespace sentinel
