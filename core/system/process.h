// SPDX-License-Identifier: Apache-2.0
// The one place that starts programs: no shell, fixed PATH, minimal environment, own session, bounded time and output.
#pragma once

#include <functional>

#include "core/base/result.h"
#include "core/system/reader.h"

namespace sentinel {

/// Runs in the child between fork and exec, with standard input and output already in place. Only async-signal-safe
/// calls. Returns 0, or an errno: then nothing is executed and the run is an error naming it.
using ChildSetup = std::function<int()>;

/// Runs `command` to its end. Errors: `process.timeout` (its process group was killed), `process.too-much-output`,
/// `system.E…` when it couldn't be started; a program that isn't there is status 127. Descriptors other than the
/// standard three are not inherited. A daemon that the program leaves behind holding its output doesn't hold us. Any
/// thread may call it.
Result<CommandResult> run_process(const CommandLine& command, const ChildSetup& in_child = {});

}  // namespace sentinel
