// SPDX-License-Identifier: Apache-2.0
// After a crash: a transaction with a commit record is finished, any other is reverted. At boot only files are put
// back, early, without asking systemd for anything; the rest follows when the system is up. Every function can be
// repeated and can itself be interrupted anywhere. The caller holds the lease.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/engine/events.h"
#include "core/engine/executor.h"
#include "core/engine/host_state.h"
#include "core/engine/journal.h"

namespace sentinel {

struct Recovery {
  std::string transaction;
  std::string outcome;  ///< changed (commit finished), reverted, stuck, files-restored (the rest is owed)
  ExitCode exit = ExitCode::kDone;
  Errors errors;  ///< a damaged journal: `journal.corrupt`, and nothing was touched
};

struct RecoverSurroundings {
  HostState& host;
  Clock& clock;
  /// Where a transaction's events go: normally EventLog over journal/<tx>/events.
  std::function<std::unique_ptr<EventSink>(const std::string& transaction)> events;
  LockProbe lock_probe = probe_record_lock;
  /// Finishes or takes back a rollout: everything but its files' early half, since what a boot starts moves only at the
  /// very end of a rollout.
  std::function<Recovery(journal::Writer& writer, const journal::Summary& summary, EventSink& events)> rollout = {};
};

/// Early boot: files only. Never runs a program.
Result<std::vector<Recovery>> recover_files(const RecoverSurroundings& around);
/// The system is up (late at boot, or the transaction's process died): everything, also what recover_files() left:
/// dpkg, packages, commands, kernel parameters, firewall, effects; finishes commits; verifies.
Result<std::vector<Recovery>> recover_now(const RecoverSurroundings& around);

/// Boot id of the running system.
Result<std::string> boot_id(Reader& machine);

}  // namespace sentinel
