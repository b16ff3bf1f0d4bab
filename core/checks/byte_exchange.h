// SPDX-License-Identifier: Apache-2.0
// One question and its answer as bytes, over a unix socket or TCP on loopback, within a time limit. For the services of
// the host that don't speak HTTP.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sentinel {

struct ByteQuestion {
  std::string socket;      ///< path of a unix socket; empty: TCP to 127.0.0.1
  std::uint16_t port = 0;  ///< of TCP
  std::string bytes;
  /// True when the answer is whole.
  std::function<bool(std::string_view so_far)> whole;
};

/// The answer; what came when the peer closed is one, too. Errors `probe.absent` (nobody listens), `probe.failed`
/// (time, or more than a megabyte). Any thread.
Result<std::string> exchange_bytes(const ByteQuestion& question, std::chrono::milliseconds limit);

}  // namespace sentinel
