// SPDX-License-Identifier: Apache-2.0
// Waiting, on a worker's loop, for what the NameResolver hears.
#pragma once

#include <chrono>
#include <string>

#include "proxy/net/http_client.h"

namespace sentinel::proxy {

/// The host's addresses, itself if it is one; empty: none by `end`, or the wake was cancelled. `names` null: only
/// addresses are known.
Task<Addresses> resolve(Loop& loop, NameResolver* names, std::string host, std::chrono::steady_clock::time_point end,
                        Wake& wake);

}  // namespace sentinel::proxy
