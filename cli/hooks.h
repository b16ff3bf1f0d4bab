// SPDX-License-Identifier: Apache-2.0
// The project's hooks: commands on the operator's machine around a deploy. Those before it can stop it, while nothing
// has changed; those after it are told how it ended and can't change that.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/config/project.h"

namespace sentinel {

enum class HookMoment { kPreConnect, kPreDeploy, kPostDeploy, kOnRollback };

/// "pre_deploy"
std::string name_of(HookMoment moment);

/// What a hook's environment says, beside the operator's own: SENTINEL_HOOK, SENTINEL_PROJECT, SENTINEL_RELEASE,
/// SENTINEL_HOSTS (names, separated by blanks), SENTINEL_HOST (when it is one), SENTINEL_OUTCOME. What isn't known is
/// empty.
struct HookFacts {
  std::string release;
  std::vector<std::string> hosts;
  std::string outcome;  ///< as in the JSON of a run: "changed", "reverted"
};

inline constexpr std::chrono::seconds kHookLimit{60};

/// Runs the moment's commands in order, in the project's directory, without a shell and without input; what they print
/// goes to standard error. A pre_ hook that fails is the last one run; of the others all are run. Each gets `limit`,
/// then it and what it started are killed. `interrupt_fd` (readable: the operator gives up; -1: none) ends a hook at
/// once. Errors `hooks.failed`, one for each that failed.
Errors run_hooks(const Project& project, HookMoment moment, const HookFacts& facts, int interrupt_fd,
                 std::chrono::milliseconds limit = kHookLimit);

}  // namespace sentinel
