// SPDX-License-Identifier: Apache-2.0
// What the shipped checklists name is there: a step of another name would repair nothing, and nobody would notice.
#include <set>

#include <catch2/catch.hpp>

#include "cli/shipped_assets.h"
#include "core/audit/judgement.h"
#include "core/config/checklist.h"
#include "tests/unit/core/config/scratch_project.h"

namespace sentinel {
namespace {

/// Everything the shipped stack can have is switched on.
const char* const kProject = R"(version: 1
project: demo
hosts:
  web-1: {address: 203.0.113.10}
vars:
  domain: api.example.com
  deploy_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me]
  tls: {mode: origin}
  docker: {source: docker}
  caddy: {source: caddy}
secrets:
  ORIGIN_CERT: {env: ORIGIN_CERT}
  ORIGIN_KEY: {env: ORIGIN_KEY}
)";

std::set<std::string> steps_of_the_shipped_stack() {
  ScratchProject scratch;
  scratch.write("sentinel.yaml", kProject).write("keys/docker.asc", "key\n").write("keys/caddy.asc", "key\n");
  const Assets assets = shipped_assets().with_directory(scratch.directory());
  auto& diagnostics = scratch.diagnostics;
  const auto project = load_project({scratch.directory(), {}, {}}, diagnostics);
  const auto playbook = project ? load_playbook(*project, assets, diagnostics) : std::nullopt;
  const auto expansion =
      playbook ? expand_offline(*project, *playbook, project->hosts.front(), assets, diagnostics) : std::nullopt;
  for (const Error& error : diagnostics.errors) UNSCOPED_INFO(error.code << ": " << error.message);
  REQUIRE(expansion);
  std::set<std::string> out;
  for (const Resource& resource : expansion->request.resources) out.insert(resource.id);
  return out;
}

}  // namespace

TEST_CASE("every step that a shipped checklist names is one of the shipped stack, and named once") {
  std::vector<std::string> names;
  for (const auto& judgement : judgements()) names.emplace_back(judgement.name);
  Diagnostics diagnostics;
  const auto items = load_checklists(shipped_assets(), kDefaultProfile, names, diagnostics);
  REQUIRE(items);
  const auto there = steps_of_the_shipped_stack();
  std::size_t rows = 0;
  for (const ChecklistItem& item : *items) {
    const auto& steps = item.control.steps;
    INFO(item.control.id);
    CHECK(std::set<std::string>(steps.begin(), steps.end()).size() == steps.size());
    for (const std::string& step : steps) {
      CAPTURE(step);
      CHECK(there.contains(step));
    }
    if (!steps.empty()) ++rows;
  }
  CHECK(rows >= 30);
}

}  // namespace sentinel
