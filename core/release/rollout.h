// SPDX-License-Identifier: Apache-2.0
// A rollout: one transaction that brings a release into force, forward (deploy) or back (rollback), in these phases:
//   stage      its directory is written and read back; for a rollback: found unaltered
//   candidate  it runs, without traffic, and must prove itself ready
//   switch     it takes the traffic; the former one holds, alive; it is watched and compared
//   promote    a boot starts it from now on; the journal's commit record decides
// Before the decision everything can be taken back by one command to the former release, whatever died meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/engine/recover.h"
#include "core/engine/transaction.h"
#include "core/release/registry.h"
#include "core/release/runtime.h"
#include "core/release/store.h"

namespace sentinel {

/// Decides whether a release is well. Errors are `release.…` with exit code 6 and say what was seen.
class ReleaseJudge {
 public:
  virtual ~ReleaseJudge() = default;
  /// Blocks until the candidate is ready, or its time is up, or it ended. Meanwhile the former one is counted.
  virtual Result<void> await_ready(const Release& next, const std::optional<Release>& former, Runtime& runtime,
                                   const std::function<bool()>& cancelled) = 0;
  /// Watches the release that has the traffic. A text: why nothing could be concluded; empty: it did well.
  virtual Result<std::string> watch(const Release& next, Runtime& runtime, const std::function<bool()>& cancelled) = 0;
};

struct RolloutSurroundings {
  HostState& host;
  Runtime& runtime;
  ReleaseJudge& judge;
  Clock& clock;
  EventSink& events;
};

/// The lease must be held by the caller. Emits every event including the final kResult.
class Rollout {
 public:
  Rollout(RolloutSurroundings around, Control& control) : around_(around), control_(control) {}

  TransactionOutcome run(const TransactionInput& input);

 private:
  struct Run;
  RolloutSurroundings around_;
  Control& control_;
};

/// Finishes or takes back what a rollout's death left; tells the result.
Recovery recover_rollout(const RolloutSurroundings& around, journal::Writer& writer, const journal::Summary& summary);

}  // namespace sentinel
