// SPDX-License-Identifier: Apache-2.0
// The transaction's ear: a socket on which the session that began it, and later ones, say abort, extend and confirm.
// One thread serves the socket; the transaction's own thread asks abort_requested() and wait_for_confirmation().
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "agent/handover.h"
#include "agent/local_socket.h"
#include "core/base/clock.h"
#include "core/engine/transaction.h"
#include "core/system/reader.h"

namespace sentinel::agent {

/// Everything the owner sent before its Begin.
struct ReceivedHandover {
  Handover handover;
  Request request;
  SecretValues secrets;
  std::vector<ContentCollector::Arrived> contents;
};

class ControlServer final : public Control {
 public:
  static Result<std::unique_ptr<ControlServer>> open(const std::string& transaction, Reader& machine, Clock& clock);
  ~ControlServer() override;

  /// Waits for the owner (the first connection) and takes what it hands over.
  Result<ReceivedHandover> receive_handover(std::chrono::milliseconds timeout);

  /// Starts serving. `abandoned` is called, in the serving thread, when the owner ends before mark_activated(); until
  /// it returns, mark_activated() waits.
  void serve(std::function<void()> abandoned);
  /// The first change is about to happen: from now on the transaction goes by its own rules.
  void mark_activated();

  bool abort_requested() override;
  Reply wait_for_confirmation(std::chrono::nanoseconds activated, std::chrono::nanoseconds deadline) override;

  /// Tells the owner how it ended (kEnd with the result event, or kFailed) and stops serving.
  void finish(const std::string& frame);

 private:
  ControlServer(std::string transaction, std::string path, Descriptor listener, Reader& machine, Clock& clock);
  void run();
  /// False: the connection is to be dropped.
  bool take_frames(LocalConnection& connection);
  std::string answer(const Frame& frame, int peer_pid);
  Result<void> take_confirmation(int peer_pid);
  void owner_gone();

  std::string transaction_;
  std::string path_;
  Descriptor listener_;
  Descriptor wake_;
  Reader& machine_;
  Clock& clock_;
  std::list<LocalConnection> connections_;  ///< of the serving thread; the first is the owner while owner_present_
  bool owner_present_ = false;
  std::function<void()> abandoned_;
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  bool abort_ = false;
  bool activated_ = false;
  std::optional<std::chrono::nanoseconds> waiting_since_;
  std::optional<std::string> confirmed_by_;
  std::optional<std::uint32_t> extend_by_;
};

}  // namespace sentinel::agent
