// SPDX-License-Identifier: Apache-2.0
// TCP connections with a deadline, many at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/descriptor.h"
#include "core/base/result.h"

namespace sentinel {

/// A connected socket, non-blocking. Errors: `outside.lookup`, `outside.connect`, `outside.timeout`.
Result<Descriptor> connect_to(const std::string& host, std::uint16_t port, std::chrono::steady_clock::time_point until);

/// What a knock at a port found: "open", "refused", "silent" (no answer in time), or "unreachable: why".
struct Knock {
  std::string address;
  std::uint16_t port = 0;
  std::string outcome;
};

/// Knocks at all of them at once: connects and closes. How far away the host is shows in its first answer; silence of
/// several times that is taken for silence, so that dropped packets don't cost the whole deadline. Never to be done to
/// sshd: OpenSSH 10 drops addresses that connect and say nothing.
std::vector<Knock> knock(const std::vector<std::pair<std::string, std::uint16_t>>& doors,
                         std::chrono::milliseconds deadline);

}  // namespace sentinel
