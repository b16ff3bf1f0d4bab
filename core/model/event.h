// SPDX-License-Identifier: Apache-2.0
// What a transaction tells while it runs. Events are lines of JSON in the journal directory, on disk before on the wire;
// following a transaction is reading that file from a byte offset.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace sentinel {

struct Event {
  enum class Type {
    kPhase,         ///< text: "lease", "observe", "stage", "apply", "effects", "prove", "health", "confirm", "commit", "revert"
    kStepStarted,   ///< step, text: title
    kStepDone,      ///< step; text: "changed"
    kEffect,        ///< text: "reload caddy.service"
    kWaiting,       ///< text: why: "dpkg's lock is held by unattended-upgr (pid 812)"
    kGuardArmed,    ///< deadline_ms: remaining
    kAwaitConfirm,  ///< deadline_ms: remaining; a new connection has to confirm
    kConfirmed,     ///< text: by whom
    kReverting,     ///< text: why
    kWarning,       ///< text
    kResult,        ///< outcome, error, changed, generation: always the last event of a transaction
  };
  Type type = Type::kPhase;
  std::string time;  ///< RFC 3339
  std::string step;
  std::string text;
  std::uint64_t deadline_ms = 0;
  std::string outcome;               ///< unchanged, changed, reverted, failed, stuck
  std::uint64_t generation = 0;      ///< after a commit
  std::vector<std::string> changed;  ///< step ids
  Errors errors;
  std::string release;           ///< of a result: the release in force afterwards; empty: none, or not about releases
  std::vector<std::string> log;  ///< of a result: the last lines of a release that failed

  bool operator==(const Event&) const = default;
};

}  // namespace sentinel
