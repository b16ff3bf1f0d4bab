// SPDX-License-Identifier: Apache-2.0
// `watch`: asks an application's probes for good, says on a loopback port how it is, tells webhooks when that changes,
// and takes back a new release that is unhealthy, where it is told to.
#pragma once

#include <string>

#include "core/base/exit_code.h"

namespace sentinel::agent {

inline constexpr const char* kWatchMemory = "/var/lib/sentinel/watch.json";

/// Runs until SIGTERM or SIGINT; the service manager hears READY=1 and, for every turn of the loop, WATCHDOG=1. Exit
/// code 2 when the settings are wrong, 1 when the port can't be had.
ExitCode watch(const std::string& settings_path);

}  // namespace sentinel::agent
