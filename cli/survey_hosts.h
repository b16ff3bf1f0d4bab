// SPDX-License-Identifier: Apache-2.0
// Read-only questions to the agents of all selected hosts at once.
#pragma once

#include <functional>

#include "cli/host_connection.h"

namespace sentinel {

/// Connects to each host of the workspace and calls `answered` or `failed` in that host's thread; `index` is the host's
/// place in the workspace.
struct HostQuestion {
  std::function<Result<void>(std::size_t index, HostConnection& connection, Access& access)> ask;
  std::function<void(std::size_t index, Error error)> failed;
};

/// Error: what fails before any connection.
Result<void> ask_hosts(const Context& context, const Workspace& workspace, const HostQuestion& question);

}  // namespace sentinel
