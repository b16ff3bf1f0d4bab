// SPDX-License-Identifier: Apache-2.0
// Listening sockets.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/descriptor.h"
#include "core/base/result.h"

namespace sentinel::proxy {

/// Listens on an address literal; port 0 takes a free one. Non-blocking. Error `proxy.listen`.
Result<Descriptor> listen_tcp(const std::string& host, std::uint16_t port);
/// "127.0.0.1:8080", "[::1]:8080": where a socket really listens.
std::string listening_address(const Descriptor& listener);
/// Another descriptor of the same socket, for another worker.
Result<Descriptor> duplicate(const Descriptor& listener);

}  // namespace sentinel::proxy
