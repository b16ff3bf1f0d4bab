// SPDX-License-Identifier: Apache-2.0
// Starts a transaction's unit and hands over what it shall do: the session's way and the local one.
#pragma once

#include <map>
#include <string>

#include "agent/handover.h"
#include "agent/local_socket.h"
#include "core/engine/host_state.h"
#include "core/model/request.h"

namespace sentinel::agent {

/// Everything the transaction's process needs besides what is on the host.
struct TransactionOrder {
  Handover handover;
  Request request;
  SecretValues secrets;
  std::map<std::string, std::string> contents;  ///< by digest
};

/// The connection to the process, whose owner we are then. Errors `journal.known-transaction`,
/// `transaction.not-started`.
Result<LocalConnection> begin_transaction(HostState& host, const TransactionOrder& order);

}  // namespace sentinel::agent
