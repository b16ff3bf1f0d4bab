// SPDX-License-Identifier: Apache-2.0
// Inside of the adapter to libssh: the session's state and the one loop that waits for its peer. libssh runs
// non-blocking throughout; we poll, so that every wait has a deadline, can be interrupted, and notices a dead peer.
#pragma once

#include <libssh/libssh.h>

#include <chrono>
#include <memory>
#include <string>

#include "core/base/descriptor.h"
#include "core/transport/patience.h"
#include "core/transport/session.h"

namespace sentinel {

class JumpRelay;

struct SshSession::State {
  State(SshTarget target, ConnectOptions options);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// Hands `socket` to a new libssh session with our options; nothing is sent yet.
  Result<void> start(Descriptor socket);
  /// Key exchange: afterwards the host's key is known and the socket never blocks.
  Result<void> handshake(Patience& patience);

  /// Waits until the peer's socket has something for libssh, then returns so that the caller repeats its libssh call;
  /// at once when libssh has taken something in since the wait before. With `extra` it also returns when one of those
  /// descriptors is ready.
  Result<void> wait(Patience& patience, std::vector<pollfd>* extra = nullptr);
  /// Waits until everything written has gone to the kernel.
  Result<void> flush(Patience& patience);

  /// The error for a session that libssh has given up: `ssh.connection-lost` with the reason.
  Error lost(const std::string& what) const;
  /// What libssh says, without its prefixes.
  std::string reason() const;

  SshTarget target;
  ConnectOptions options;
  std::unique_ptr<JumpRelay> jump;  ///< the destructor of State frees the session inside before this member goes
  ssh_session session = nullptr;
  HostKeyDecision host_key;
  std::string login_key;
  std::string login_public_key;
  bool authenticated = false;  ///< keepalives make sense from here on

 private:
  std::chrono::milliseconds next_look() const;
  Result<void> watch_silence();

  ssh_counter_struct traffic_{};
  std::uint64_t heard_bytes_ = 0;        ///< traffic_.in_bytes at the last look
  std::chrono::nanoseconds silence_{0};  ///< time spent waiting since then
  int keepalives_ = 0;                   ///< sent in this silence
};

/// Repeats a non-blocking libssh call until it no longer says `again`.
template <typename Call>
Result<int> repeat(SshSession::State& state, Patience& patience, int again, Call call) {
  while (true) {
    const int status = call();
    if (status != again) return status;
    SENTINEL_CHECK(state.wait(patience));
  }
}

}  // namespace sentinel
