// SPDX-License-Identifier: Apache-2.0
// The running proxy: listeners, workers, the operator's port, signals, and the orderly end.
#pragma once

#include "core/base/exit_code.h"
#include "core/base/result.h"
#include "proxy/operation/settings.h"

namespace sentinel::proxy {

/// What can be checked without starting: files that settings name. Errors as of loading them.
Result<void> check_files(const Settings& settings);

/// Serves until SIGTERM or SIGINT, then drains. Fails only before it accepts.
Result<ExitCode> run_proxy(const Settings& settings);

}  // namespace sentinel::proxy
