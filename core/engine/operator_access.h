// SPDX-License-Identifier: Apache-2.0
// The operator's own address and fail2ban: a transaction causes logins and service restarts that look like an attack.
// While it runs, and ten minutes longer, the address is on the runtime ignore list of every jail; a revert also lifts a
// ban. fail2ban-client(1). Nothing here fails a transaction: what can't be done is a warning.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/engine/events.h"
#include "core/model/plan.h"
#include "core/system/system.h"

namespace sentinel {

class OperatorAccess {
 public:
  /// An empty address, or a host without a running fail2ban: every call is a no-op.
  OperatorAccess(System& machine, EventSink& events, std::string address, std::string transaction);

  /// Puts the address on the ignore list of all jails that don't ignore it yet. To be repeated after fail2ban
  /// (re)started: then it also lifts a ban that the start itself brought.
  void protect();
  /// True for an action or effect after which fail2ban has forgotten: it was started, restarted or reloaded.
  static bool is_forgotten_after(const Action& action);
  static bool is_forgotten_after(const Effect& effect);
  /// Lifts a ban of the address in every jail.
  void unban();
  /// Leaves a timer that takes the address off again in ten minutes, where protect() put it on.
  void release_later();

 private:
  bool runs();
  std::vector<std::string> jails();
  std::vector<std::string> jails_once_up();
  bool client(const std::vector<std::string>& words, std::string* output = nullptr);

  System& machine_;
  EventSink& events_;
  std::string address_;
  std::string transaction_;
  std::set<std::string> protected_;
  bool looked_before_ = false;
};

}  // namespace sentinel
