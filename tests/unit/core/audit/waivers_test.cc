// SPDX-License-Identifier: Apache-2.0
// What a waiver turns, and what it leaves.
#include "core/audit/waivers.h"

#include <catch2/catch.hpp>

#include "tests/unit/core/audit/sample.h"

namespace sentinel {
namespace {

Waiver waiver_until(const std::string& until, const std::string& control = "000-02") {
  return {control, "prod", "ops", "replaced in March", until};
}

Finding waived(Verdict verdict, const std::vector<Waiver>& waivers, const std::string& today) {
  HostAudit audit;
  audit.findings = {finding_of("000-02", verdict)};
  apply_waivers(audit, waivers, today);
  return audit.findings.front();
}

}  // namespace

TEST_CASE("A waiver holds through its last day and not a day longer") {
  const Finding last_day = waived(Verdict::kFail, {waiver_until("2027-01-31")}, "2027-01-31");
  CHECK(last_day.verdict == Verdict::kWaived);
  CHECK(last_day.reason == "replaced in March");
  CHECK(last_day.waiver->owner == "ops");
  CHECK_FALSE(last_day.waiver_expired);

  const Finding day_after = waived(Verdict::kFail, {waiver_until("2027-01-31")}, "2027-02-01");
  CHECK(day_after.verdict == Verdict::kFail);
  CHECK(day_after.waiver_expired);
  CHECK(day_after.waiver->until == "2027-01-31");
}

TEST_CASE("A waiver accepts failures and warnings, never what could not be judged") {
  const std::vector<Waiver> waivers{waiver_until("2027-01-31")};
  CHECK(waived(Verdict::kWarn, waivers, "2027-01-01").verdict == Verdict::kWaived);
  for (const Verdict verdict : {Verdict::kPass, Verdict::kUnknown, Verdict::kNotApplicable}) {
    const Finding finding = waived(verdict, waivers, "2027-01-01");
    CHECK(finding.verdict == verdict);
    CHECK_FALSE(finding.waiver.has_value());
  }
}

TEST_CASE("Of two waivers for a control the one that holds counts; another control's does not") {
  const Finding two = waived(Verdict::kFail, {waiver_until("2026-12-31"), waiver_until("2027-01-31")}, "2027-01-05");
  CHECK(two.verdict == Verdict::kWaived);
  CHECK(two.waiver->until == "2027-01-31");
  CHECK(waived(Verdict::kFail, {waiver_until("2027-01-31", "000-03")}, "2027-01-05").verdict == Verdict::kFail);
}

}  // namespace sentinel
