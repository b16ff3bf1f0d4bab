// SPDX-License-Identifier: Apache-2.0
// A connection through a jump host: a session to it, a direct-tcpip channel from it, and a thread that carries bytes
// between that channel and a socket pair, because libssh wants a descriptor for the session inside.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/base/descriptor.h"
#include "core/base/result.h"
#include "core/transport/session.h"

namespace sentinel {

class JumpRelay {
 public:
  /// Logs in to `jump` (which may have a jump host itself) and opens a channel from there to `address`:`port`. Errors
  /// as of SshSession::connect, with the jump host named; `ssh.jump-login` when the jump host refuses the login, and
  /// `ssh.jump-refused` when it can't or won't reach the target.
  static Result<std::unique_ptr<JumpRelay>> open(const SshTarget& jump, const std::string& address, std::uint16_t port,
                                                 const ConnectOptions& options);

  /// Ends the channel and the session; close the socket first, so that what was written last still arrives.
  ~JumpRelay();
  JumpRelay(const JumpRelay&) = delete;
  JumpRelay& operator=(const JumpRelay&) = delete;

  /// The near end, to be given to the session inside; once.
  Descriptor take_socket() { return std::move(near_); }

  /// Why the relay ended on its own; empty while it works. Any thread.
  std::string failure() const;

  const std::string& name() const { return name_; }

  const HostKey& host_key() const { return host_key_; }

 private:
  struct Pump;
  JumpRelay() = default;

  std::string name_;
  HostKey host_key_;
  Descriptor near_;
  Descriptor stop_;  ///< eventfd
  mutable std::mutex mutex_;
  std::string failure_;
  std::thread thread_;
};

}  // namespace sentinel
