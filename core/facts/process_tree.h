// SPDX-License-Identifier: Apache-2.0
// Who started whom, from /proc/<pid>/stat (proc(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/system/reader.h"

namespace sentinel {

struct ProcessEntry {
  int pid = 0;
  std::string name;  ///< comm: at most 15 characters
  int parent = 0;
  std::uint64_t start_ticks = 0;  ///< since boot, in 1/sysconf(_SC_CLK_TCK) s

  bool operator==(const ProcessEntry&) const = default;
};

/// Nothing for a text that isn't /proc/<pid>/stat.
std::optional<ProcessEntry> parse_process(const std::string& stat);
/// The process, its parent, and so on; without PID 1. Bounded in depth.
std::vector<ProcessEntry> ancestry(Reader& machine, int pid);

}  // namespace sentinel
