// SPDX-License-Identifier: Apache-2.0
// Runs a program that sees /etc as it will be: a private mount namespace with the staged files laid over the real ones.
// Nothing outside that namespace changes, and it is gone with the program.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/system/reader.h"

namespace sentinel {

/// `staged_root`/etc holds the files that differ, at their places and with their final attributes; its directories
/// should have the attributes of the real ones, since theirs are what the program sees. `user` (empty: root) is looked
/// up in the real /etc/passwd and gets its groups and its home as HOME. Needs root. Where the kernel has no overlay
/// file system a merged copy of /etc is used. Errors: `future.no-user`, `future.bad-root`, those of run_process.
Result<CommandResult> run_in_future_tree(const std::string& staged_root, const CommandLine& command,
                                         const std::string& user);

}  // namespace sentinel
