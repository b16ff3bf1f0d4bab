// SPDX-License-Identifier: Apache-2.0
// What was done on this host, for people and for JSON: the audit log joined with the generations that are still kept.
#pragma once

#include <string>
#include <vector>

#include "core/engine/host_state.h"

namespace sentinel {

struct HistoryEntry {
  AuditEntry entry;
  bool restorable = false;  ///< its generation is still kept

  bool operator==(const HistoryEntry&) const = default;
};

/// Newest first. `audit.broken` when the chain doesn't hold.
Result<std::vector<HistoryEntry>> history(HostState& host);

}  // namespace sentinel
