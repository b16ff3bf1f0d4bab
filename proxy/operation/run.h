// SPDX-License-Identifier: Apache-2.0
// The program's three ways to run: check, serve, ask the serving one for its health.
#pragma once

#include "core/base/exit_code.h"
#include "core/base/result.h"
#include "proxy/operation/service.h"

namespace sentinel::proxy {

/// What can be checked without starting: files that settings name. Errors as of loading them.
Result<void> check_files(const Settings& settings);

/// Serves until SIGTERM or SIGINT, then drains. Fails only before it accepts. `source` is asked again at SIGHUP.
Result<ExitCode> run_proxy(const LoadedSettings& loaded, SettingsSource source);

}  // namespace sentinel::proxy
