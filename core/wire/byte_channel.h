// SPDX-License-Identifier: Apache-2.0
// A two-way stream of bytes to a program on another machine. SSH channels are one; tests use pipes.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sentinel {

class ByteChannel {
 public:
  virtual ~ByteChannel() = default;
  /// Appends what has arrived (at least one byte) to `out`, waiting up to `timeout`. False: the other side has closed.
  /// Errors: `channel.timeout` when nothing came, `channel.interrupted`, or the transport's own.
  virtual Result<bool> read(std::string& out, std::chrono::milliseconds timeout) = 0;
  /// All of it, or an error.
  virtual Result<void> write(std::string_view bytes) = 0;
  /// What the program has said on stderr so far (bounded), for messages.
  virtual std::string diagnostics() const = 0;
};

}  // namespace sentinel
