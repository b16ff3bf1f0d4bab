// SPDX-License-Identifier: Apache-2.0
// Read-only questions to the agents of all selected hosts at once.
#pragma once

#include <chrono>
#include <functional>

#include "cli/host_connection.h"

namespace sentinel {

/// Connects to each host of the workspace and calls `ask` or `failed` in that host's thread, and at the host's end
/// `ended` (may be empty) with what it took, its connection included; `index` is the host's place in the workspace.
struct HostQuestion {
  std::function<Result<void>(std::size_t index, HostConnection& connection, Access& access)> ask;
  std::function<void(std::size_t index, Error error)> failed;
  std::function<void(std::size_t index, std::chrono::milliseconds took)> ended{};
};

/// Error: what fails before any connection.
Result<void> ask_hosts(const Context& context, const Workspace& workspace, const HostQuestion& question);

}  // namespace sentinel
