// SPDX-License-Identifier: Apache-2.0
// What a process that was killed leaves beside the state: the staged tree, and temporary files whose rename never came.
// Neither is ever read, but both may hold what only root should see, so a recovery takes them away. Best effort:
// nothing depends on it. The lease must be held.
#pragma once

#include <vector>

#include "core/engine/host_state.h"
#include "core/engine/journal.h"

namespace sentinel {

/// The staged tree and what is half-written under the state root.
void remove_own_leftovers(HostState& host);

/// What is half-written beside the files that these intents would put back.
void remove_leftovers_of(const std::vector<journal::Intent>& intents, System& machine);

}  // namespace sentinel
