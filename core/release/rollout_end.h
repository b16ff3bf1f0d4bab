// SPDX-License-Identifier: Apache-2.0
// How a rollout ends: brought to its end after the decision, or taken back before it. From the journal's facts alone,
// so that the rollout itself and the recovery after a crash run the same code.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/release/rollout.h"

namespace sentinel {

/// What an end needs to know.
struct RolloutFacts {
  journal::Begin begin;
  Release next;
  std::optional<Release> former;
  std::vector<journal::Intent> intents;  ///< of secrets
  bool touched = false;                  ///< the candidate may run
  bool promoted = false;                 ///< what a boot starts may be the next one
};

/// From a journal; the release itself comes from the registry where the order doesn't hold all of it.
Result<RolloutFacts> facts_of(const journal::Summary& summary, HostState& host);

struct RolledBack {
  std::vector<std::string> left;  ///< what is not as it was; empty: everything is
  std::vector<std::string> log;   ///< the last lines of the release that failed, secrets masked
  Errors errors;
  bool for_lack_of_room = false;  ///< something is left, and the transaction stays open until the disk has room
};

/// After the commit record, of a release that is promoted: registry, link, audit line, closed; then the former one
/// drains and retention is kept. Only what happens before the journal is closed can be an error; the rest is a warning.
Result<void> finish_rollout(const RolloutSurroundings& around, journal::Writer& writer, const RolloutFacts& facts,
                            const journal::Commit& commit);

/// Before it: the former release has the traffic, and nothing of the next one does anything any more.
RolledBack take_back(const RolloutSurroundings& around, journal::Writer& writer, const RolloutFacts& facts,
                     const Error& why);

/// The final event.
Event result_event(const RolloutSurroundings& around, const std::string& app, const TransactionOutcome& outcome,
                   std::vector<std::string> log);

}  // namespace sentinel
