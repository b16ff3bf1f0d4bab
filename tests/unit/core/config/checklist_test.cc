// SPDX-License-Identifier: Apache-2.0
// The steps that a checklist says repair a row: one or several, as far as a host's playbook has them.
#include "core/config/checklist.h"

#include <catch2/catch.hpp>

#include "tests/unit/core/config/scratch_project.h"

namespace sentinel {
namespace {

/// The steps of the one control of a checklist that says this of them.
std::optional<std::vector<std::string>> steps(const std::string& said, ScratchProject& scratch) {
  scratch.write("playbooks/checklists/house.yaml",
                "checklist: house\ncontrols:\n  - {id: house-01, title: t, section: s, severity: low, why: w, "
                "remediation: r, judgement: units-up" +
                    said + "}\n");
  const auto items = load_checklists(scratch.assets(), "house", {"units-up"}, scratch.diagnostics);
  if (!items) return std::nullopt;
  return items->front().control.steps;
}

std::vector<std::string> steps(const std::string& said) {
  ScratchProject scratch;
  const auto found = steps(said, scratch);
  for (const Error& error : scratch.diagnostics.errors) UNSCOPED_INFO(error.message);
  REQUIRE(found);
  return *found;
}

Resource resource(const std::string& id) {
  Resource out;
  out.id = id;
  return out;
}

}  // namespace

TEST_CASE("a control names no step, one, or several in their order") {
  using Steps = std::vector<std::string>;
  CHECK(steps("") == Steps{});
  CHECK(steps(", step: ssh/drop-in") == Steps{"ssh/drop-in"});
  CHECK(steps(", step: [fail2ban/jail, fail2ban/service]") == Steps{"fail2ban/jail", "fail2ban/service"});
}

TEST_CASE("anything else is no step") {
  for (const char* said : {", step: {a: b}", ", step: [[a]]", ", step: [{a: b}]"}) {
    ScratchProject scratch;
    CHECK_FALSE(steps(said, scratch));
    CHECK(scratch.codes() == "schema.type");
  }
}

TEST_CASE("steps that a host's playbook doesn't have repair nothing there") {
  std::vector<Control> controls(3);
  controls[0].steps = {"caddy/origin-certificate", "caddy/caddyfile", "caddy/service"};
  controls[1].steps = {"caddy/origin-certificate"};
  drop_absent_steps(controls, {resource("caddy/service"), resource("caddy/caddyfile")});
  CHECK(controls[0].steps == std::vector<std::string>{"caddy/caddyfile", "caddy/service"});
  CHECK(controls[1].steps.empty());
  CHECK(controls[2].steps.empty());
}

}  // namespace sentinel
