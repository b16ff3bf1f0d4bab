// SPDX-License-Identifier: Apache-2.0
// Completion scripts for shells, from the description of the command line.
#pragma once

#include <string>

#include "cli/command_line.h"

namespace sentinel {

/// `shell` is bash, zsh or fish.
std::string completion_script(const std::string& shell, const CommandLine& command_line);

}  // namespace sentinel
