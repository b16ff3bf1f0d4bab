// SPDX-License-Identifier: Apache-2.0
// Values of secrets, from where the project says they are. No error ever holds a value or what a command printed.
#pragma once

#include <string>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/project.h"
#include "core/model/request.h"

namespace sentinel {

/// Values of the named secrets; generated ones are skipped (the host makes them). Errors `secret.missing`,
/// `secret.empty`, `secret.placeholder`, `secret.command-failed`, `secret.unreadable`; a world-readable file is a
/// warning. One trailing newline of files and commands is not part of the value. Commands run without a shell, bounded
/// to 30 s and 64 KiB.
SecretValues resolve_secrets(const Project& project, const std::vector<std::string>& names, Diagnostics& diagnostics);

/// Why a value can't be a real one ("changeme", "your-...", "<...>", "$("); empty when it may be.
std::string placeholder_reason(const std::string& value);

}  // namespace sentinel
