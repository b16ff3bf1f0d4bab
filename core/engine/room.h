// SPDX-License-Identifier: Apache-2.0
// Room on the disk that holds the state. Without it nothing can be decided or closed, and there is nothing a recovery
// could do about that but wait: what ends for lack of room stays open, and is finished when there is some.
#pragma once

#include "core/engine/host_state.h"

namespace sentinel {

/// Tries it: whether what any end has to write would find its place.
bool has_room(HostState& host);

}  // namespace sentinel
