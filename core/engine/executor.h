// SPDX-License-Identifier: Apache-2.0
// Acting is dumb: the executor interprets the dozen actions of core/model/plan.h on a System and knows no resource
// kinds. The same actions undo; capture() completes an undo with what stands there now, before it is journalled.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/engine/events.h"
#include "core/engine/host_state.h"
#include "core/engine/packages.h"

namespace sentinel {

/// Whether an action only needs the file system: all that recovery may do before the system is up.
bool is_file_action(const Action& action);

/// Until this, what programs wrote (useradd, ufw, systemctl enable) may not survive a power cut; file actions are
/// durable by themselves. To be called before the journal says that everything is done, or undone.
Result<void> make_programs_work_durable(System& machine);

class Executor {
 public:
  struct Surroundings {
    HostState& host;
    Clock& clock;
    EventSink& events;
    SecretView& secrets;
    LockProbe lock_probe = probe_record_lock;
    /// Asked while waiting for a lock; true: stop waiting (`engine.interrupted`).
    std::function<bool()> interrupted = [] { return false; };
    std::chrono::seconds lock_patience{600};
  };

  explicit Executor(Surroundings surroundings);

  Result<void> run(const Action& action);
  /// The file part alone: nothing for actions that need a running system, ufw's files for RestoreFirewall.
  Result<void> run_files_only(const Action& action);
  /// Completes the undo of a step about to run: empty contents and snapshots become blobs, named as `state` (what
  /// observing its resource gave just now) names them; a step that runs apt gets the undo of policy-rc.d.
  Result<std::vector<Action>> capture(const Step& step, const nlohmann::json& state);

 private:
  struct Act;
  struct Capture;

  Surroundings around_;
};

}  // namespace sentinel
