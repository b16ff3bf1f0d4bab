// SPDX-License-Identifier: Apache-2.0
// Any bytes as a project and a role, divided by a line "-- role --". Beyond not crashing: every error has a code, words
// and a place inside its text; what loads can be expanded twice to the same. No file is read and no command is run.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/config/expand.h"
#include "core/config/playbook.h"
#include "core/config/project.h"
#include "core/model/json.h"

namespace {

using namespace sentinel;

constexpr std::string_view kDivider = "-- role --\n";
constexpr std::string_view kStack = "stack: test\nroles: [web]\n";

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const Diagnostics& diagnostics) {
  for (const auto* list : {&diagnostics.errors, &diagnostics.warnings}) {
    for (const auto& error : *list) {
      require(!error.code.empty() && !error.message.empty());
      if (!error.position) continue;
      require(error.position->line >= 0 && error.position->column >= 0 && error.position->length >= 1);
      require(error.position->source_line.empty() ||
              static_cast<std::size_t>(error.position->column) <= error.position->source_line.size() + 2);
    }
  }
  require((diagnostics.reported > 0) == !diagnostics.ok());
}

void expand_all(const Project& project, const Playbook& playbook, const Assets& assets) {
  for (const auto& host : project.hosts) {
    Diagnostics diagnostics;
    const auto once = expand_offline(project, playbook, host, assets, diagnostics);
    check(diagnostics);
    require(once.has_value() == diagnostics.ok());
    if (!once) continue;
    const auto twice = expand_offline(project, playbook, host, assets, diagnostics);
    require(twice && twice->request == once->request && twice->contents == once->contents);
    for (const auto& resource : once->request.resources) {
      for (const auto& content : contents_of(resource.body)) require(once->contents.contains(content.digest));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto divider = text.find(kDivider);
  const std::string project_text = text.substr(0, divider);
  const std::string role = divider == std::string::npos ? std::string() : text.substr(divider + kDivider.size());
  const Assets assets({},
                      {{"playbooks/stacks/test.yaml", kStack},
                       {"playbooks/roles/web.yaml", role},
                       {"playbooks/roles/part.yaml", "role: part\nresources:\n  - directory: \"/srv/{{ name }}\"\n"},
                       {"templates/site.conf", "{{ domain }}\n"}});
  Diagnostics diagnostics;
  const auto project = load_project({"/nonexistent", project_text, {}}, diagnostics);
  check(diagnostics);
  require(project.has_value() == diagnostics.ok());
  if (!project || project->stack.ends_with(".yaml")) return 0;
  const auto playbook = load_playbook(*project, assets, diagnostics);
  check(diagnostics);
  require(playbook.has_value() == diagnostics.ok());
  if (playbook) expand_all(*project, *playbook, assets);
  return 0;
}
