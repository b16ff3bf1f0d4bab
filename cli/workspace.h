// SPDX-License-Identifier: Apache-2.0
// The project as a command needs it: loaded, its playbook read, its hosts selected. No network, no secret values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/subcommand.h"
#include "core/config/expand.h"
#include "core/config/playbook.h"
#include "core/config/project.h"

namespace sentinel {

struct Workspace {
  Project project;
  Playbook playbook;
  Assets assets;  ///< the project's own files in front of the shipped ones
  std::vector<const Host*> hosts;  ///< selected by -H; they live in `project`
};

/// Everything wrong is added to `diagnostics`, then nothing is returned. `project_text` stands in for the project file.
std::optional<Workspace> open_workspace(const Context& context, Diagnostics& diagnostics,
                                        std::optional<std::string> project_text = std::nullopt);

/// A plain variable of a host before its facts are known: --set, host, project, stack, roles, in this order. Empty when it is not
/// set, or is a template.
std::string text_of_variable(const Workspace& workspace, const Host& host, const std::string& name);
/// The same without the defaults of stack and roles: what people of this project said. `name` may be dotted ("ssh.port").
std::string declared_variable(const Workspace& workspace, const Host& host, const std::string& name);

}  // namespace sentinel
