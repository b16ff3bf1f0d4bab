// SPDX-License-Identifier: Apache-2.0
// One authenticated SSH connection to a host: TCP (or a channel of a jump host), key exchange, our host-key rules, and
// a login by public key. A session belongs to one thread at a time; sessions of different threads are independent.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/transport/channel.h"
#include "core/transport/host_key.h"
#include "core/transport/target.h"

namespace sentinel {

struct ConnectOptions {
  HostKeyPolicy host_keys;
  /// For each of: name lookup with TCP, key exchange, login; without the time people take to answer questions. Jump
  /// hosts get the same again each. A host that is gone is known after the first; one that is only slow gets all.
  std::chrono::milliseconds timeout{10'000};
  std::chrono::milliseconds keepalive_interval{5'000};  ///< silence after which the peer is asked for a sign of life
  std::chrono::milliseconds keepalive_limit{15'000};    ///< silence after which it counts as dead, while we wait for it
  /// Readable: every wait of the session and its channels ends with `ssh.interrupted`. -1: none. Not read from, not
  /// owned.
  int interrupt_fd = -1;
  /// Asks a person for a key file's passphrase; empty when there is no terminal. Called from the connecting thread. An
  /// empty secret skips the key.
  std::function<Result<Secret>(const std::string& key_file)> ask_passphrase;
};

/// Errors of connect, all with exit code 8 unless named: `ssh.unknown-host`, `ssh.refused`, `ssh.unreachable`,
/// `ssh.timeout`, `ssh.not-ssh` (something else answers on that port), `ssh.handshake`, `ssh.host-key-…`, `ssh.no-key`
/// (nothing to offer: said before connecting), `ssh.key-encrypted`, `ssh.auth-refused`, `ssh.auth-more` (the host wants
/// more than a key), `ssh.jump-login` and `ssh.jump-refused` (see JumpRelay), `ssh.connection-lost`, `ssh.interrupted`
/// (exit code 130).
class SshSession {
 public:
  static Result<std::unique_ptr<SshSession>> connect(const SshTarget& target, const ConnectOptions& options);

  /// Tells the peer, closes the connection, then that of the jump host.
  ~SshSession();
  SshSession(const SshSession&) = delete;
  SshSession& operator=(const SshSession&) = delete;

  /// Starts `command` by the login shell: two round trips. The channel must be gone before the session.
  Result<std::unique_ptr<Channel>> exec(const std::string& command);

  const HostKeyDecision& host_key() const;
  /// Of the nearest jump host; null without one.
  const HostKey* jump_host_key() const;
  /// The key that logged us in, "ssh-ed25519 SHA256:…".
  const std::string& login_key() const;
  /// The same key as a line of authorized_keys, "ssh-ed25519 AAAA…"; empty when only its private half is known.
  const std::string& login_public_key() const;

  struct State;  ///< defined by the adapter to libssh

 private:
  explicit SshSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sentinel
