// SPDX-License-Identifier: Apache-2.0
// A plain connection to a host by name or address.
#pragma once

#include <memory>
#include <string>

#include "proxy/net/stream.h"

namespace sentinel::proxy {

/// Tries every address of the host, each for at most `each`. Null: none answered.
Task<std::unique_ptr<Stream>> dial(Loop& loop, std::string host, std::uint16_t port, std::chrono::milliseconds each);

}  // namespace sentinel::proxy
