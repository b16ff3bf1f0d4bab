// SPDX-License-Identifier: Apache-2.0
// Waivers against the day and the checklists, and which host each is for.
#include "core/config/waiver_check.h"

#include <catch2/catch.hpp>

#include "tests/unit/core/config/scratch_project.h"

namespace sentinel {
namespace {

Project project_with(const std::string& waivers) {
  Diagnostics diagnostics;
  const auto project =
      load_project({"",
                    "version: 1\nproject: demo\nhosts:\n  web-1: {address: 203.0.113.1, tags: [prod]}\n"
                    "  web-2: {address: 203.0.113.2}\nwaivers:\n" +
                        waivers,
                    {}},
                   diagnostics);
  REQUIRE(project.has_value());
  return *project;
}

Errors mistakes(const std::string& waivers, const std::string& today) {
  Diagnostics diagnostics;
  check_waivers(project_with(waivers), {"000-02", "004-07"}, today, diagnostics);
  return diagnostics.errors;
}

}  // namespace

TEST_CASE("A waiver may hold for 90 days and not for 91") {
  const std::string waivers = "  - {control: 004-07, owner: ops, reason: r, until: 2027-02-24}\n";
  CHECK(mistakes(waivers, "2026-11-26").empty());
  CHECK(mistakes(waivers, "2027-03-01").empty());  // expired: the report's matter
  const Errors errors = mistakes(waivers, "2026-11-25");
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].code == "waiver.too-long");
  CHECK(errors[0].hint.find("2027-02-23") != std::string::npos);
  CHECK(errors[0].position->line == 7);
  CHECK(errors[0].position->column > 40);
  CHECK(errors[0].exit == ExitCode::kUsage);
}

TEST_CASE("A control that doesn't exist is named where it stands, with the nearest one") {
  const Errors errors = mistakes("  - {control: 004-70, owner: ops, reason: r, until: 2027-01-31}\n", "2026-11-26");
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].code == "waiver.unknown-control");
  CHECK(errors[0].hint == "did you mean '004-07'?");
  CHECK(errors[0].position->column == 15);
}

TEST_CASE("A waiver is for the hosts its pattern selects, or for all") {
  const Project project = project_with(
      "  - {control: 004-07, hosts: prod, owner: ops, reason: r, until: 2027-01-31}\n"
      "  - {control: 000-02, owner: ops, reason: r, until: 2027-01-31}\n");
  CHECK(waivers_of(project, "web-1").size() == 2);
  REQUIRE(waivers_of(project, "web-2").size() == 1);
  CHECK(waivers_of(project, "web-2").front().control == "000-02");
}

}  // namespace sentinel
