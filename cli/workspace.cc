// SPDX-License-Identifier: Apache-2.0
// Loading goes on after errors as far as it makes sense, so that people see them together.
#include "cli/workspace.h"

#include "core/template/template.h"

namespace sentinel {
namespace {

// The scalar at a dotted name; null when there is none, or a template that only facts can settle.
const Node* scalar_in(const Node& mapping, const std::string& name) {
  const std::size_t dot = name.find('.');
  const Node* found = mapping.is_mapping() ? mapping.find(name.substr(0, dot)) : nullptr;
  if (found == nullptr) return nullptr;
  if (dot != std::string::npos) return scalar_in(*found, name.substr(dot + 1));
  return found->is_scalar() && !has_template_syntax(found->text) ? found : nullptr;
}

}  // namespace

std::optional<Workspace> open_workspace(const Context& context, Diagnostics& diagnostics,
                                        std::optional<std::string> project_text) {
  const GlobalOptions& options = context.options;
  auto project = read_project({options.directory, std::move(project_text), options.settings}, diagnostics);
  if (!project) return std::nullopt;
  Assets assets = context.assets.with_directory(project->directory);
  auto playbook = load_playbook(*project, assets, diagnostics);
  if (!playbook || !diagnostics.ok()) return std::nullopt;
  Workspace workspace{std::move(*project), std::move(*playbook), std::move(assets), {}};
  auto hosts = select_hosts(workspace.project, options.hosts);
  if (!hosts.ok()) {
    diagnostics.add(std::move(hosts).error());
    return std::nullopt;
  }
  workspace.hosts = std::move(*hosts);
  return workspace;
}

std::string declared_variable(const Workspace& workspace, const Host& host, const std::string& name) {
  for (const Node* level : {&workspace.project.settings, &host.vars, &workspace.project.vars}) {
    if (const Node* found = scalar_in(*level, name)) return found->text;
  }
  return {};
}

std::string text_of_variable(const Workspace& workspace, const Host& host, const std::string& name) {
  if (std::string declared = declared_variable(workspace, host, name); !declared.empty()) return declared;
  if (const Node* found = scalar_in(workspace.playbook.vars, name)) return found->text;
  for (const auto& [role_name, role] : workspace.playbook.all_roles) {
    if (const Node* found = scalar_in(role.vars, name)) return found->text;
  }
  return {};
}

}  // namespace sentinel
