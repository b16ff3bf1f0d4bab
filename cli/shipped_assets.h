// SPDX-License-Identifier: Apache-2.0
// Where templates, playbooks, reference files and agents are found that belong to this sentinelctl.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/config/assets.h"
#include "core/wire/agent_start.h"

namespace sentinel {

/// Files beside an installed program (<prefix>/share/sentinel) win over those inside it.
Assets shipped_assets();

/// Agents by architecture: $SENTINEL_AGENT (one file, for this machine's architecture), beside the program, in the build
/// tree, or <prefix>/lib/sentinel/<architecture>/. Error `agent.not-found` when there is none at all.
Result<AgentBinaries> shipped_agents();

}  // namespace sentinel
