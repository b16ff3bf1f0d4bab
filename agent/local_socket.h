// SPDX-License-Identifier: Apache-2.0
// The unix socket between an agent's session (serve) and a transaction: frames both ways, root only.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/base/descriptor.h"
#include "core/wire/frame.h"

namespace sentinel::agent {

/// One connection: whole frames in, whole frames out.
class LocalConnection {
 public:
  explicit LocalConnection(Descriptor descriptor)
      : descriptor_(std::move(descriptor)), reader_(FrameReader::Start::kAtFrame) {}

  /// Error `socket.absent` when nobody listens there: the transaction has ended.
  static Result<LocalConnection> connect(const std::string& path);

  int fd() const { return descriptor_.get(); }

  Result<void> send(std::string_view frames);
  /// Reads what is there without waiting. False: the peer has closed.
  Result<bool> receive();

  /// The next whole frame of what was received.
  Result<std::optional<Frame>> next() { return reader_.next(); }

  /// Waits for one frame.
  Result<Frame> await(std::chrono::milliseconds timeout);
  /// Process at the other end (SO_PEERCRED).
  int peer_pid() const;

 private:
  Descriptor descriptor_;
  FrameReader reader_;
};

/// A listening socket at `path` (mode 0600); a stale one is replaced.
Result<Descriptor> listen_locally(const std::string& path);

}  // namespace sentinel::agent
