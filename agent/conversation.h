// SPDX-License-Identifier: Apache-2.0
// One conversation: what was asked so far, and the answers. Everything a peer sends is input: it is checked, bounded, and
// answered with an error where it is wrong.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "agent/local_socket.h"
#include "core/base/clock.h"
#include "core/engine/host_state.h"
#include "core/engine/planner.h"
#include "core/system/local_system.h"
#include "core/wire/messages.h"

namespace sentinel::agent {

/// stdin and stdout of the session, as frames.
class Peer {
 public:
  Peer();
  int fd() const { return 0; }
  Result<void> send(std::string_view bytes);
  /// Waits for bytes. False: the peer has closed.
  Result<bool> receive();
  Result<std::optional<Frame>> next() { return reader_.next(); }
  /// Exactly `size` raw bytes, which follow a frame.
  Result<std::string> receive_raw(std::uint64_t size);

 private:
  FrameReader reader_;
};

class Conversation {
 public:
  Conversation(Peer& peer, LocalSystem& machine, Clock& clock);

  /// Says hello, then answers until the peer leaves.
  Result<void> run();

 private:
  Result<void> say_hello();
  Result<void> answer(const Frame& frame);
  Result<void> take_content(const Frame& frame);
  Result<void> become_successor(const Frame& frame);
  Result<void> answer_request(const Frame& frame);
  Result<void> answer_generation(const Frame& frame);
  Result<void> answer_plan(Request request);
  /// Until nobody changes the host, as long as the request has patience. A plan made meanwhile would be stale by its turn.
  Result<void> await_lease(const Request& request);
  Result<PlannedRequest> plan_resources(const Request& request, SecretView& view);
  Result<PlannedRequest> plan_order(Request& request, SecretView& view);
  Result<void> answer_begin(const Frame& frame);
  Result<void> answer_attach(const Frame& frame);
  Result<void> answer_ask(const Frame& frame);
  Result<void> answer_audit(const Frame& frame);
  Result<void> answer_logs(const Frame& frame);
  /// Passes a confirm, extend or abort on to the transaction it names.
  Result<void> pass_on(const Frame& frame);
  Result<LocalConnection> hand_over(const Begin& begin);
  /// Relays events until the log ends. `owner` is the connection to the transaction, when this session began it.
  Result<void> follow(const std::string& transaction, std::uint64_t offset, std::optional<LocalConnection> owner);
  /// Frames from the peer while following. False: the peer has left.
  Result<bool> take_peer_frames(std::optional<LocalConnection>& owner);
  Result<std::string> transaction_to_follow(const Attach& attach);

  Peer& peer_;
  LocalSystem& machine_;
  Clock& clock_;
  HostState host_;
  Facts facts_;
  ContentCollector collector_;
  std::map<std::string, std::string> contents_;  ///< sent on this connection, by digest
  std::size_t content_bytes_ = 0;
  SecretValues secrets_;
  std::optional<Request> planned_request_;
};

}  // namespace sentinel::agent
