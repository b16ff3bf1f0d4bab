// SPDX-License-Identifier: Apache-2.0
// One transaction: steps 9 to 15 of `bootstrap` (docs/architecture.md). From the first intent on, everything is
// finished, or undone, or named as impossible to undo before the first change. Runs in a process of its own that holds
// the lease; talks to the world only through the interfaces it is given, so that tests can stop it at every point.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/engine/events.h"
#include "core/engine/executor.h"
#include "core/engine/host_state.h"
#include "core/engine/journal.h"
#include "core/engine/staging.h"
#include "core/model/request.h"

namespace sentinel {

/// What the operator's side can say while a transaction runs; the agent implements it over its socket.
class Control {
 public:
  enum class Answer { kConfirmed, kExtended, kExpired, kAborted };

  struct Reply {
    Answer answer = Answer::kExpired;
    std::string by;                        ///< of kConfirmed: who, for the journal
    std::chrono::nanoseconds deadline{0};  ///< of kExtended: the new one, since boot
  };

  virtual ~Control() = default;
  /// Never blocks. True before activation: stop, and undo what was done. Stays true.
  virtual bool abort_requested() = 0;
  /// Blocks until a valid confirmation, an extension, an abort, or `deadline` (since boot) has passed. Only a session
  /// that began after `activated` may confirm; checking that is this function's part.
  virtual Reply wait_for_confirmation(std::chrono::nanoseconds activated, std::chrono::nanoseconds deadline) = 0;
};

struct TransactionInput {
  std::string id;  ///< is_transaction_id
  Request request;
  SecretValues secrets;                   ///< values of the given ones
  std::string expected;                   ///< Plan::observed of the plan that was shown; empty: whatever is found
  std::string agent;                      ///< SHA-256 of the running binary
  std::string operator_address;           ///< for fail2ban's ignore list; empty when unknown
  std::vector<std::string> ports_in_use;  ///< of SSH now; kept open beside request.keep_open
  std::chrono::seconds budget{3600};      ///< for everything up to activation
};

/// Creates the transaction's journal and writes its first record, which is given back in `begin`. `request`: what is
/// acted on, which may be more than the input's; `states`: what the plan saw.
Result<journal::Writer> begin_journal(HostState& host, Clock& clock, const TransactionInput& input,
                                      const Request& request, const std::map<std::string, nlohmann::json>& states,
                                      journal::Begin& begin);

struct TransactionOutcome {
  std::string outcome;  ///< unchanged, changed, reverted, failed (nothing was touched), stuck
  ExitCode exit = ExitCode::kDone;
  std::uint64_t generation = 0;
  std::vector<std::string> changed;
  Errors errors;
};

/// The lease must be held by the caller. Emits every event including the final kResult. Wanted contents must be in the
/// blob store (or are reported as `plan.missing-contents`).
class Transaction {
 public:
  struct Surroundings {
    HostState& host;
    Clock& clock;
    EventSink& events;
    Control& control;
    LockProbe lock_probe = probe_record_lock;
    FutureRunner future;
  };

  explicit Transaction(Surroundings surroundings);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  TransactionOutcome run(const TransactionInput& input);

 private:
  struct Run;
  Surroundings around_;
};

}  // namespace sentinel
