// SPDX-License-Identifier: Apache-2.0
// `sentinel-proxy --health`: asks the process that serves here how it is, for images without a shell.
#pragma once

#include "core/base/result.h"
#include "proxy/operation/settings.h"

namespace sentinel::proxy {

/// GET /health/live at the operator's port, or at the admin socket when that port is an inherited descriptor. Success:
/// it answered 200 within five seconds. Error `proxy.health`.
Result<void> ask_health(const Settings& settings);

}  // namespace sentinel::proxy
