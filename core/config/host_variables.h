// SPDX-License-Identifier: Apache-2.0
// What the templates of one host see: the merged and resolved variables, and the reserved names beside them.
#pragma once

#include <optional>

#include "core/config/playbook.h"
#include "core/config/project.h"
#include "core/model/facts.h"
#include "core/template/template.h"

namespace sentinel {

/// The merged tree before resolving: defaults of `app` and `health`, roles, stack, project, host, --set.
Node merged_variables(const Project& project, const Playbook& playbook, const Host& host);

/// Resolved variables with facts, host and project. Nothing when a variable can't be resolved.
std::optional<Value> host_scope(const Project& project, const Playbook& playbook, const Host& host, const Facts& facts,
                                Diagnostics& diagnostics);

}  // namespace sentinel
