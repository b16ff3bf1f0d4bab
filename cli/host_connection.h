// SPDX-License-Identifier: Apache-2.0
// A connection to a host with an agent of our version at its other end: which user and port to try in which order,
// sudo, the agent's start. One thread at a time per connection.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cli/contact_memory.h"
#include "cli/interruption.h"
#include "cli/ssh_byte_channel.h"
#include "cli/subcommand.h"
#include "cli/workspace.h"
#include "core/transport/session.h"
#include "core/wire/agent_client.h"

namespace sentinel {

/// A way into a host.
struct Door {
  std::uint16_t port = 22;
  std::string user;

  bool operator==(const Door&) const = default;
};

/// How the jump hosts of one run are entered: found by the first connection that needs one, so that a login that is
/// refused is refused once and not once per host behind it. Any thread.
class Passages {
 public:
  /// Connects by `connect(door of the jump host)`, trying `doors` in order as long as the jump host refuses the login.
  Result<std::unique_ptr<SshSession>> pass(
      const std::string& jump, const std::vector<Door>& doors,
      const std::function<Result<std::unique_ptr<SshSession>>(const Door&)>& connect);

 private:
  struct Passage {
    std::mutex first;  ///< held while the door is looked for
    std::optional<Door> door;
    std::optional<Error> refused;
  };

  Passage& passage(const std::string& jump);

  std::mutex mutex_;
  std::map<std::string, Passage> passages_;
};

/// What all connections of one run share.
struct Access {
  const Context& context;
  const Workspace& workspace;
  AgentBinaries agents;
  SshEnvironment environment;
  ContactMemory memory;
  Passages passages{};
  bool with_sudo_password = false;
  Secret sudo_password{};
  Progress* progress = nullptr;  ///< told about uploads, and taken off the terminal while a person is asked

  /// Finds the agents, asks for sudo's password when the operator wants to give one.
  static Result<std::unique_ptr<Access>> prepare(const Context& context, const Workspace& workspace);
};

/// In the order to try: the remembered door, the deploy user's, the first contact's.
std::vector<Door> doors_of(const Access& access, const Host& host);
/// The door the operator will use after this run: declared or configured port, deploy user.
Door next_door(const Access& access, const Host& host);

class HostConnection {
 public:
  /// Tries `doors` in order; another user only when a key was refused (or sudo was), another port only when nobody
  /// answered. `limit` bounds each attempt where it is shorter than --connect-timeout.
  static Result<std::unique_ptr<HostConnection>> open(Access& access, const Host& host, const std::vector<Door>& doors,
                                                      std::chrono::milliseconds limit = kNoLimit);
  ~HostConnection();

  AgentClient& agent() { return *client_; }

  const Hello& hello() const { return hello_; }

  const Door& door() const { return door_; }

  std::string host_key() const;

  /// The key we are logged in with, as a line of authorized_keys; empty when its public half is unknown.
  const std::string& login_public_key() const { return session_->login_public_key(); }

  /// From here on the operator's first Ctrl-C no longer ends waits: the transaction is asked to revert instead.
  void transaction_begins() { watch_.raise_threshold(2); }

  /// Between questions: answers the peer's keepalives.
  void keep_alive() { bytes_->keep_alive(); }

 private:
  HostConnection(Access& access, Door door);
  Result<std::unique_ptr<SshSession>> connect_session(Access& access, const Host& host,
                                                      std::chrono::milliseconds limit);
  Result<void> connect(Access& access, const Host& host, std::chrono::milliseconds limit);

  Interruption::Watch watch_;
  Door door_;
  std::unique_ptr<SshSession> session_;
  std::unique_ptr<Channel> channel_;
  std::unique_ptr<SshByteChannel> bytes_;
  std::unique_ptr<AgentClient> client_;
  Hello hello_;
};

}  // namespace sentinel
