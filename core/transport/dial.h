// SPDX-License-Identifier: Apache-2.0
// A TCP connection within a deadline, name lookup included.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/descriptor.h"
#include "core/base/result.h"
#include "core/transport/patience.h"

namespace sentinel {

/// Connected, non-blocking, TCP_NODELAY. Every address of the name is tried in the resolver's order, each with a fair
/// part of the time left. Errors: `ssh.unknown-host`, `ssh.refused`, `ssh.timeout`, `ssh.unreachable`,
/// `ssh.interrupted`.
Result<Descriptor> dial(const std::string& address, std::uint16_t port, Patience& patience);

}  // namespace sentinel
