// SPDX-License-Identifier: Apache-2.0
// The exit code beside a baseline: only what became worse since counts.
#include "core/report/audit_summary.h"

#include <catch2/catch.hpp>

#include "core/report/audit_document.h"
#include "core/report/audit_text.h"
#include "tests/unit/core/report/sample_audit.h"

namespace sentinel {
namespace {

ExitCode exit_with(std::optional<AuditDelta> baseline) {
  AuditReport report = sample_audit();
  report.hosts.pop_back();
  report.hosts.front().since_baseline = std::move(baseline);
  return exit_code_of(report, {});
}

}  // namespace

TEST_CASE("With a baseline only what became worse decides the exit code") {
  const VerdictChange failed{"000-02", Verdict::kPass, Verdict::kFail};
  const VerdictChange unjudged{"000-05", Verdict::kPass, Verdict::kUnknown};
  CHECK(exit_with(std::nullopt) == ExitCode::kFindings);
  CHECK(exit_with(AuditDelta{"", {}, {failed}}) == ExitCode::kDone);
  CHECK(exit_with(AuditDelta{"", {unjudged}, {}}) == ExitCode::kInconclusive);
  CHECK(exit_with(AuditDelta{"", {unjudged, failed}, {}}) == ExitCode::kFindings);
}

TEST_CASE("What changed stands in the report for people and in JSON") {
  const AuditReport report = sample_audit();
  const std::string text = audit_text(report, {});
  const auto regressions = text.find("Regressions: 000-02 pass -> fail\n");
  REQUIRE(regressions != std::string::npos);
  CHECK(regressions < text.find("FAIL"));
  CHECK(text.find("Repaired since the baseline: 000-03 unknown -> pass\n") != std::string::npos);
  CHECK(text.find("Since the last check: 2 worse, 1 better since 2026-11-25\n"
                  "  worse: 000-02 pass -> fail, 000-05 not asked -> unknown\n  better: 000-03 fail -> pass\n") !=
        std::string::npos);
  const Document host = audit_document(report).at("hosts").at(0);
  CHECK(host.at("since_baseline").at("worse").at(0) ==
        Document({{"control", "000-02"}, {"before", "pass"}, {"now", "fail"}}));
  CHECK(host.at("since_last").at("worse").at(1).at("before").is_null());
  CHECK(audit_document(report).at("hosts").at(1).at("since_last").is_null());
}

}  // namespace sentinel
