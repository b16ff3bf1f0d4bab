// SPDX-License-Identifier: Apache-2.0
// What counts as worse and as repaired, how sections are scored, and what is read from an earlier report.
#include "core/audit/delta.h"

#include <catch2/catch.hpp>

#include "tests/unit/core/audit/sample.h"

namespace sentinel {
namespace {

// "worse", "better" or "same", of one control.
std::string change(std::optional<Verdict> before, Verdict now) {
  PastAudit earlier{"2026-11-25T10:00:00.000Z", "vps", {}, {}};
  if (before) earlier.verdicts["000-02"] = *before;
  HostAudit audit;
  audit.findings = {finding_of("000-02", now)};
  const AuditDelta delta = compared(audit, earlier);
  CHECK(delta.worse.size() + delta.better.size() <= 1);
  if (!delta.worse.empty()) return "worse";
  return delta.better.empty() ? "same" : "better";
}

const char* const kReport = R"({"schema_version": 1, "profile": "vps", "hosts": [
  {"host": "web-1", "taken_at": "2026-11-25T10:00:00.000Z", "error": null, "results": [
    {"control": "000-02", "status": "fail", "step": "ssh/drop-in"},
    {"control": "000-03", "status": "pass", "step": "firewall/ufw"},
    {"control": "000-04", "status": "fail", "step": "fail2ban/jail", "steps": ["fail2ban/jail", "fail2ban/service"]},
    {"control": "000-05", "status": "warn", "step": null},
    {"control": "000-06", "status": "fail", "step": null, "steps": []},
    {"control": "000-24", "status": "unknown", "step": null}]},
  {"host": "web-2", "taken_at": "2026-11-25T10:00:00.000Z", "error": {"code": "ssh.timeout"}, "results": []}]})";

}  // namespace

TEST_CASE("Worse is a concern that was not there; better is one that is gone") {
  using enum Verdict;
  CHECK(change(kPass, kFail) == "worse");
  CHECK(change(kPass, kUnknown) == "worse");
  CHECK(change(kWarn, kFail) == "worse");
  CHECK(change(kUnknown, kFail) == "worse");
  CHECK(change(kWaived, kFail) == "worse");
  CHECK(change(kNotApplicable, kWarn) == "worse");
  CHECK(change(std::nullopt, kFail) == "worse");
  CHECK(change(kFail, kPass) == "better");
  CHECK(change(kUnknown, kPass) == "better");
  CHECK(change(kFail, kWarn) == "better");
  CHECK(change(kFail, kNotApplicable) == "better");
  CHECK(change(kFail, kFail) == "same");
  CHECK(change(kFail, kUnknown) == "same");
  CHECK(change(kFail, kWaived) == "same");
  CHECK(change(kPass, kNotApplicable) == "same");
  CHECK(change(kWaived, kPass) == "same");
  CHECK(change(std::nullopt, kPass) == "same");
}

TEST_CASE("A section's score counts the rows that apply; only a pass has passed") {
  HostAudit audit;
  audit.findings = {finding_of("1", Verdict::kPass),          finding_of("2", Verdict::kFail, "Firewall"),
                    finding_of("3", Verdict::kWaived),        finding_of("4", Verdict::kUnknown),
                    finding_of("5", Verdict::kNotApplicable), finding_of("6", Verdict::kNotApplicable, "Monitoring")};
  CHECK(section_scores(audit) == std::vector<SectionScore>{{"Access", 1, 3}, {"Firewall", 0, 1}, {"Monitoring", 0, 0}});
  const PastAudit past = to_past_audit(audit, "vps");
  CHECK(past.verdicts.at("3") == Verdict::kWaived);
  CHECK(nlohmann::json(past).get<PastAudit>() == past);
}

TEST_CASE("An earlier report gives verdicts and what repairs the failures") {
  const auto report = read_report(kReport, "old.json");
  REQUIRE(report.ok());
  CHECK(report->profile == "vps");
  REQUIRE(report->hosts.size() == 1);  // nothing is known of a host that could not be audited
  const auto& host = report->hosts.at("web-1");
  CHECK(host.audit.taken_at == "2026-11-25T10:00:00.000Z");
  CHECK(host.audit.verdicts.at("000-03") == Verdict::kPass);
  CHECK(host.repairs ==
        std::map<std::string, std::vector<std::string>>{{"000-02", {"ssh/drop-in"}},
                                                        {"000-04", {"fail2ban/jail", "fail2ban/service"}},
                                                        {"000-05", {}},
                                                        {"000-06", {}}});
}

TEST_CASE("Anything else is no report, and says why") {
  for (const std::string text :
       {"", "[]", "{\"schema_version\": 2}", "{\"schema_version\": 1, \"hosts\": []}",
        R"({"schema_version":1,"profile":"vps","hosts":[{"host":"a","taken_at":"","error":null,)"
        R"("results":[{"control":"1","status":"great","step":null}]}]})",
        R"({"schema_version":1,"profile":"vps","hosts":[{"host":"a","taken_at":"","error":null,)"
        R"("results":[{"control":"1","status":"fail","step":"a/b","steps":"a/b"}]}]})"}) {
    const auto report = read_report(text, "old.json");
    REQUIRE_FALSE(report.ok());
    CHECK(report.error().code == "check.no-report");
    CHECK(report.error().exit == ExitCode::kUsage);
    CHECK(report.error().message.find("old.json") != std::string::npos);
  }
}

}  // namespace sentinel
