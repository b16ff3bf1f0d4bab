// SPDX-License-Identifier: Apache-2.0
// The ssh agent, seen by us and by libssh. libssh offers every key an agent has, in the agent's order; hosts count
// refused keys, so libssh is given a stand-in that shows one key at a time and hands signature requests on to the real
// agent. Protocol: draft-ietf-sshm-ssh-agent (length, type, body).
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/descriptor.h"
#include "core/base/result.h"
#include "core/transport/patience.h"

namespace sentinel {

struct AgentKey {
  std::string blob;  ///< public key blob, raw
  std::string comment;
};

/// A connection to the agent at `path`. Errors `ssh.agent` (not there, or not an agent), `ssh.timeout`,
/// `ssh.interrupted`.
Result<Descriptor> connect_agent(const std::string& path);
Result<std::vector<AgentKey>> list_agent_keys(const Descriptor& agent, Patience& patience);

/// Serves one end of a socket pair on a thread of its own.
class AgentStandIn {
 public:
  /// Takes over the connection to the agent. Requests are answered with a failure once `limit` has passed for one of
  /// them (a person may have to touch a token) or `interrupt_fd` is readable.
  static Result<std::unique_ptr<AgentStandIn>> start(Descriptor agent, std::chrono::milliseconds limit,
                                                     int interrupt_fd);
  ~AgentStandIn();
  AgentStandIn(const AgentStandIn&) = delete;
  AgentStandIn& operator=(const AgentStandIn&) = delete;

  /// For libssh, which closes it; once.
  Descriptor take_socket() { return std::move(near_); }

  /// The one key shown from now on.
  void show(const AgentKey& key);

 private:
  AgentStandIn() = default;
  void serve();
  std::string answer(const std::string& request);

  Descriptor near_;
  Descriptor far_;
  Descriptor agent_;
  Descriptor stop_;  ///< eventfd
  std::chrono::milliseconds limit_{0};
  int interrupt_fd_ = -1;
  std::mutex mutex_;
  AgentKey shown_;
  std::thread thread_;
};

}  // namespace sentinel
