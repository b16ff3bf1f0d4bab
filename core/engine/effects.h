// SPDX-License-Identifier: Apache-2.0
// What changes owe, merged and paid once: daemon-reload before any unit is touched, a reload is dropped when the unit
// is restarted anyway, and a unit that was started after the change owes nothing.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/engine/events.h"
#include "core/model/plan.h"
#include "core/system/system.h"

namespace sentinel {

class EffectLedger {
 public:
  void owe(const std::vector<Effect>& effects);
  /// A step's action that starts or restarts a unit pays what the unit owed.
  void note_action(const Action& action);
  bool owes_daemon_reload() const;
  /// In the order to pay: daemon-reload, restarts, reloads.
  std::vector<Effect> owed() const;
  void paid(const Effect& effect);

 private:
  std::set<Effect> owed_;
};

/// What a unit that isn't there means: a mistake going forward; what a revert may well leave.
enum class MissingUnit { kIsAnError, kIsFine };

/// `systemctl daemon-reload`, `try-reload-or-restart UNIT`, `try-restart UNIT`: a unit that isn't running is left so.
/// Error `effect.failed` carries what systemctl said, and the unit's own status. A reload that its service doesn't say
/// the end of fails as soon as its command has, else after two minutes, and is over then: systemd would go on waiting
/// for it, and hold back the next one.
Result<void> pay(const Effect& effect, System& machine, Clock& clock, MissingUnit missing = MissingUnit::kIsAnError);

/// True for actions that run systemctl on a unit: daemon-reload must be paid before.
bool touches_units(const Action& action);

}  // namespace sentinel
