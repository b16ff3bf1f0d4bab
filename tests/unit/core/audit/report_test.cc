// SPDX-License-Identifier: Apache-2.0
// From evidence to report: waivers by the audit's own day, what changed since the last time, and beside a baseline.
#include "core/audit/report.h"

#include <catch2/catch.hpp>

#include "tests/unit/core/audit/records.h"
#include "tests/unit/core/audit/sample.h"

namespace sentinel {
namespace {

// Two controls that nobody can judge, since the host was asked nothing, and one that doesn't apply.
EvidenceBundle unjudged() {
  HostEvidence host;
  host.host = "web-1";
  host.record = record_of({});
  host.controls = {control_of("000-02"), control_of("000-22", "Monitoring")};
  host.controls.back().excluded = "stack: no Grafana";
  HostEvidence missed;
  missed.host = "web-2";
  missed.errors = {Error("ssh.timeout", "no answer", "", ExitCode::kUnreachable)};
  return {"0.1.0", "demo", "vps", "2026-11-26T23:59:59.000Z", {host, missed}};
}

}  // namespace

TEST_CASE("A report says what the bundle holds, also of hosts that could not be asked") {
  const AuditReport report = report_of(unjudged());
  CHECK(report.version == "0.1.0");
  CHECK(report.project == "demo");
  CHECK(report.profile == "vps");
  REQUIRE(report.hosts.size() == 2);
  CHECK(report.hosts[0].findings.at(0).verdict == Verdict::kUnknown);
  CHECK(report.hosts[0].findings.at(1).verdict == Verdict::kNotApplicable);
  CHECK(report.hosts[1].host == "web-2");
  CHECK(report.hosts[1].errors.front().code == "ssh.timeout");
}

TEST_CASE("The last audit of a host is what it is compared with") {
  EvidenceBundle bundle = unjudged();
  CHECK_FALSE(report_of(bundle).hosts[0].since_last.has_value());
  bundle.hosts[0].history = {{"2026-11-24T10:00:00.000Z", "vps", {}, {{"000-02", Verdict::kUnknown}}},
                             {"2026-11-25T10:00:00.000Z", "vps", {}, {{"000-02", Verdict::kPass}}}};
  const AuditReport report = report_of(bundle);
  REQUIRE(report.hosts[0].since_last.has_value());
  CHECK(report.hosts[0].since_last->taken_at == "2026-11-25T10:00:00.000Z");
  CHECK(report.hosts[0].since_last->worse == std::vector<VerdictChange>{{"000-02", Verdict::kPass, Verdict::kUnknown}});
}

TEST_CASE("Of a host that the baseline doesn't know everything is new") {
  AuditReport report = report_of(unjudged());
  EarlierReport baseline;
  baseline.hosts["web-1"].audit.verdicts = {{"000-02", Verdict::kUnknown}};
  compare_with(report, baseline);
  CHECK(report.hosts[0].since_baseline->worse.empty());
  CHECK_FALSE(report.hosts[1].since_baseline.has_value());
  compare_with(report, EarlierReport{});
  CHECK(report.hosts[0].since_baseline->worse.size() == 1);
}

}  // namespace sentinel
