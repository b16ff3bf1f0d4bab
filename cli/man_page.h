// SPDX-License-Identifier: Apache-2.0
// Manual pages from the description of the command line, in the man(7) macros.
#pragma once

#include <string>

#include "cli/command_line.h"

namespace sentinel {

/// sentinelctl(1) for an empty name, else sentinelctl-<command>(1). Error `usage.unknown-command`.
Result<std::string> man_page(const CommandLine& command_line, const std::string& command);

}  // namespace sentinel
