// SPDX-License-Identifier: Apache-2.0
// Putting back: undo in reverse order, every effect of the touched steps paid again, and a look at whether the machine
// is what it was. Works from the journal alone, so that a transaction and the recovery after a crash run the same code.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/engine/executor.h"
#include "core/engine/journal.h"
#include "core/engine/operator_access.h"

namespace sentinel {

struct Reverted {
  std::vector<std::string> left;  ///< what is not as it was; empty: everything is
  Errors errors;                  ///< why
  bool for_lack_of_room = false;  ///< something is left, and the transaction stays open until the disk has room
};

/// `engine.stuck` (exit 7): names what is not as it was. Without room on the disk it is tried again, otherwise not.
Error stuck_error(const std::vector<std::string>& left, bool for_lack_of_room);

class Revert {
 public:
  Revert(Executor::Surroundings around, OperatorAccess& access) : around_(std::move(around)), access_(access) {}

  /// `summary` must hold begin and all intents. Errors of the journal don't stop it: an undo is idempotent, and a
  /// recovery would do it again. Ends with the records revert-end and closed, and the audit line, if the disk has room.
  Reverted run(journal::Writer& writer, const journal::Summary& summary, const std::string& why, ExitCode exit);

  /// Files only, for early boot: best effort, what fails is left to run().
  void files_only(const journal::Summary& summary);

 private:
  void undo(const journal::Intent& intent, Errors& errors);
  void pay_all(const std::vector<journal::Intent>& intents, Reverted& reverted);
  void verify(const journal::Summary& summary, const std::set<std::string>& failed, Reverted& reverted);

  Executor::Surroundings around_;
  OperatorAccess& access_;
};

}  // namespace sentinel
