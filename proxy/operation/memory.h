// SPDX-License-Identifier: Apache-2.0
// Memory that a burst has used goes back to the kernel. An allocator gives back while it is asked for more; after a
// burst nobody asks.
#pragma once

#include "proxy/net/loop.h"

namespace sentinel::proxy {

/// Every five seconds, as long as the loop lives: what its thread keeps for its next allocations goes back to the
/// allocator, and of all that is free there what wasn't used for ten seconds goes back to the kernel.
Task<void> give_memory_back(Loop& loop);

}  // namespace sentinel::proxy
