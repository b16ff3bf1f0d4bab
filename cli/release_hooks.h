// SPDX-License-Identifier: Apache-2.0
// The hooks around a run over releases: which moment is told of which hosts.
#pragma once

#include "cli/hooks.h"
#include "cli/run.h"

namespace sentinel {

/// The hosts of a run, for the hooks before it.
HookFacts facts_of_all(const Workspace& workspace, const std::string& release);

/// After a deploy: post_deploy is told of the hosts that have `release`, on_rollback of those that took it back. These
/// hooks tell of what was done, also when the operator gave up.
Errors tell_of_deploy(const Project& project, const std::vector<HostTask>& tasks, const std::string& release);
/// After a rollback: on_rollback is told of the hosts that went back, and the release they went to.
Errors tell_of_rollback(const Project& project, const std::vector<HostTask>& tasks);

}  // namespace sentinel
