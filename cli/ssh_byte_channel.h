// SPDX-License-Identifier: Apache-2.0
// An SSH channel as the byte stream a conversation runs over.
#pragma once

#include "core/transport/channel.h"
#include "core/wire/byte_channel.h"

namespace sentinel {

class SshByteChannel final : public ByteChannel {
 public:
  explicit SshByteChannel(Channel& channel) : channel_(channel) {}

  Result<bool> read(std::string& out, std::chrono::milliseconds timeout) override;
  Result<void> write(std::string_view bytes) override;
  std::string diagnostics() const override { return diagnostics_; }

  /// Takes what has arrived without waiting and keeps it for `read`: lets a connection that nobody waits on answer its
  /// peer's keepalives.
  void keep_alive();

 private:
  Channel& channel_;
  std::string arrived_;
  std::string diagnostics_;
};

}  // namespace sentinel
