// SPDX-License-Identifier: Apache-2.0
// Follows one transaction on one host to its end: shows its events, confirms over a new connection when the host waits
// for that, passes the operator's Ctrl-C on as a request to revert, and comes back after a broken connection.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/host_connection.h"
#include "core/model/event.h"
#include "core/report/host_report.h"

namespace sentinel {

class TransactionWatch {
 public:
  /// `ways`: the doors to try in this order when the host waits for a confirmation.
  TransactionWatch(Access& access, const Host& host, std::vector<Door> ways, std::string transaction);

  /// Begins and follows; what happened is in the result's outcome, generation, changed and errors. The connection may
  /// be another one afterwards.
  HostRun begin(std::unique_ptr<HostConnection>& connection, const std::string& observed);
  /// Follows one that was begun before, from its first event.
  HostRun attach(std::unique_ptr<HostConnection>& connection);

  /// The way in that was walked through to confirm; nothing where that wasn't asked for.
  const std::optional<Door>& confirmed_through() const { return confirmed_through_; }

 private:
  HostRun follow(std::unique_ptr<HostConnection>& connection, const std::optional<std::string>& begin_observed);
  bool on_event(const Event& event);
  void on_idle(AgentClient& agent);
  void confirm(std::uint64_t deadline_ms);
  Result<void> confirm_once(std::chrono::milliseconds limit);
  Result<std::unique_ptr<HostConnection>> reconnect();
  HostRun ending(const Event& result) const;
  HostRun lost(Error error) const;

  Access& access_;
  const Host& host_;
  std::vector<Door> ways_;  ///< to try for a confirmation
  std::string transaction_;
  AgentClient* agent_ = nullptr;  ///< the one being followed
  bool running_ = true;           ///< when we last connected; what has ended is not confirmed any more
  bool began_ = false;            ///< an event was seen: the host knows the transaction
  bool abort_sent_ = false;
  std::optional<Door> confirmed_through_;
  std::optional<Error> confirm_failure_;
};

}  // namespace sentinel
