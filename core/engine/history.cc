// SPDX-License-Identifier: Apache-2.0
#include "core/engine/history.h"

#include <algorithm>

namespace sentinel {

Result<std::vector<HistoryEntry>> history(HostState& host) {
  SENTINEL_TRY(auto entries, host.audit.read());
  SENTINEL_TRY(const auto kept, host.generations.kept());
  std::vector<HistoryEntry> out;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const bool restorable = entry->generation == 0 || std::binary_search(kept.begin(), kept.end(), entry->generation);
    out.push_back({std::move(*entry), restorable});
  }
  return out;
}

}  // namespace sentinel
