// SPDX-License-Identifier: Apache-2.0
// apt and dpkg: installing under a policy-rc.d that forbids starts (a fresh server must not listen before its
// configuration is there), waiting for dpkg's lock and saying who holds it, and the purge that undoes an installation.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/engine/events.h"
#include "core/system/system.h"

namespace sentinel {

/// Who holds a POSIX record lock on a file.
struct LockHolder {
  int pid = 0;
  std::string name;  ///< /proc/<pid>/comm
};

using LockProbe = std::function<std::optional<LockHolder>(const std::string& path)>;
/// The real one: fcntl(F_GETLK), which is what dpkg and apt lock with.
std::optional<LockHolder> probe_record_lock(const std::string& path);

inline constexpr const char* kPolicyPath = "/usr/sbin/policy-rc.d";
/// Our policy-rc.d: refuses start, restart and reload, allows stop.
std::string_view policy_text();

class Packages {
 public:
  struct Surroundings {
    System& machine;
    Clock& clock;
    EventSink& events;
    LockProbe lock_probe;
    std::function<bool()> interrupted;  ///< asked while waiting; true: stop (`engine.interrupted`)
    std::chrono::seconds lock_patience;
  };

  explicit Packages(Surroundings surroundings) : around_(std::move(surroundings)) {}

  Result<void> install(const std::vector<std::string>& names);
  Result<void> remove(const std::vector<std::string>& names);
  /// What is installed now: one "name:arch" a line, sorted.
  Result<std::string> snapshot();
  /// Purges exactly what is installed now and was not in `snapshot`.
  Result<void> purge_added_since(const std::string& snapshot);

 private:
  Result<void> wait_for_lock();
  Result<bool> lists_are_stale();
  Result<CommandResult> run(const std::vector<std::string>& argv, std::chrono::seconds timeout);
  Result<void> under_policy(const std::function<Result<void>()>& work);
  /// What apt complained about meanwhile: it goes on without sources it can't reach. Error when it failed altogether.
  Result<std::string> refresh();

  Surroundings around_;
};

}  // namespace sentinel
