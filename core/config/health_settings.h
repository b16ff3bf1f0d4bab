// SPDX-License-Identifier: Apache-2.0
// The `health:` mapping of sentinel.yaml as health settings: probes by path become requests to the application's port.
#pragma once

#include <cstdint>

#include "core/config/diagnostics.h"
#include "core/config/yaml.h"
#include "core/model/health.h"

namespace sentinel {

/// Reads a mapping that was checked against docs/reference/project.yaml; null is an empty one. There is always a
/// readiness probe called "ready". `port` is the application's, on loopback. Errors: `health.probe` for values that
/// only the whole shows to be wrong, `health.duplicate-probe`.
HealthSettings read_health(const Node& health, std::uint16_t port, Diagnostics& diagnostics);

}  // namespace sentinel
