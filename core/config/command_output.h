// SPDX-License-Identifier: Apache-2.0
// Runs a command on the operator's machine to get a secret: no shell, nothing shown, bounded in time and size.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/secret.h"

namespace sentinel {

/// What `argv` prints to stdout, run in `directory`. stdin is empty, stderr is thrown away. Errors
/// `secret.command-failed` say how the command ended and never what it printed.
Result<Secret> command_output(const std::vector<std::string>& argv, const std::string& directory,
                              std::chrono::milliseconds timeout = std::chrono::seconds(30),
                              std::size_t limit = 64U << 10);

}  // namespace sentinel
