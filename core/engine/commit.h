// SPDX-License-Identifier: Apache-2.0
// The end of a good transaction: what follows the commit record. Everything here can be repeated, so a crash in the
// middle is finished by recovery.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/clock.h"
#include "core/engine/host_state.h"
#include "core/engine/journal.h"

namespace sentinel {

/// The generation that a transaction leaves: what it wanted over what was managed before and still is so. `survey`
/// looks at the latter; `states` are the states after acting, by resource id.
Result<Generation> next_generation(const journal::Begin& begin, const std::map<std::string, nlohmann::json>& states,
                                   HostState& host, Survey& survey, const std::string& time);

/// After the commit record: generation, audit line, closed.
Result<void> finish_commit(journal::Writer& writer, const journal::Begin& begin, const journal::Commit& commit,
                           HostState& host);

/// Removes what nothing refers to any more: journals beyond the newest fifty closed ones, generations beyond retention,
/// blobs. Never touches open transactions.
Result<void> prune(HostState& host, Clock& clock);

}  // namespace sentinel
