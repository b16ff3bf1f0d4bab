// SPDX-License-Identifier: Apache-2.0
// A Channel as the exchange with the agent sees it: standard output is the stream, standard error is for messages.
#pragma once

#include <string>

#include "core/transport/channel.h"
#include "core/wire/byte_channel.h"

namespace sentinel {

class ByteStream final : public ByteChannel {
 public:
  /// `channel` must outlive the stream.
  explicit ByteStream(Channel& channel) : channel_(channel) {}

  /// As of ByteChannel; `channel.interrupted` stands for `ssh.interrupted` and leaves the stream intact.
  Result<bool> read(std::string& out, std::chrono::milliseconds timeout) override;
  Result<void> write(std::string_view bytes) override;
  /// The last 64 KiB of standard error.
  std::string diagnostics() const override { return diagnostics_; }

 private:
  Channel& channel_;
  std::string diagnostics_;
};

}  // namespace sentinel
