// SPDX-License-Identifier: Apache-2.0
// Releases as systemd services: <app>.socket owns the ports and is never restarted; each release has a unit of its own,
// <app>-<id>.service, that gets the same sockets. A candidate accepts on command (docs/decisions/013-handover.md). What
// a boot or a crash starts is decided by the socket unit's Service= and by the enabled unit; both move only by
// promote().
#pragma once

#include "core/base/clock.h"
#include "core/release/admin_call.h"
#include "core/release/runtime.h"
#include "core/system/system.h"

namespace sentinel {

class SystemdRuntime final : public Runtime {
 public:
  SystemdRuntime(System& machine, Clock& clock, AdminCall admin)
      : machine_(machine), clock_(clock), admin_(std::move(admin)) {}

  Result<void> check(const Release& next) override;

  Result<bool> must_end_first(const Release& next) override;

  Result<void> prepare(const Release& next) override;
  Result<void> start_candidate(const Release& next) override;
  Result<Activity> activity(const Release& release) override;
  ReleaseEndpoint endpoint(const Release& release) const override;
  Result<void> switch_to(const Release& next, const std::optional<Release>& former) override;
  Result<void> back(const Release& next, const std::optional<Release>& former) override;
  Result<void> promote(const Release& next, const std::optional<Release>& former) override;
  Result<void> drain(const Release& release, bool wait) override;
  Result<std::map<std::string, Remains>> remains(const std::vector<Release>& releases) override;
  Result<void> forget(const Release& release) override;

  Result<void> discard(const Release&) override { return {}; }

  std::vector<std::string> log(const Release& release, std::size_t lines) override;

 private:
  struct UnitState;

  Result<void> systemctl(std::vector<std::string> arguments);
  Result<UnitState> look(const std::string& unit);
  /// Replaces the file where it differs. True: it did.
  Result<bool> ensure_file(const std::string& path, const std::string& text);
  Result<void> ensure_link(const std::string& target_unit, const std::string& unit);
  Result<void> remove_link(const std::string& target_unit, const std::string& unit);
  Result<void> tell(const Release& release, const std::string& command, const std::string& state);
  Error not_taken(const Release& next, const Error& why);
  Result<void> serve_again(const Release& former);
  /// Of a release that answers nothing: its streams have no end of their own.
  Result<void> end_at_once(const Release& hanging);
  Result<void> kill(const Release& release);
  Result<void> remove_application(const Release& next);
  /// Waits until the unit has ended; false: it still runs after `patience`.
  Result<bool> wait_for_end(const Release& release, std::chrono::seconds patience);

  System& machine_;
  Clock& clock_;
  AdminCall admin_;
};

/// "sentinel-0.1.0-3.service"
std::string unit_of(const Release& release);

}  // namespace sentinel
