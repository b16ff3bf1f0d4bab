// SPDX-License-Identifier: Apache-2.0
// The `health:` mapping of sentinel.yaml as health settings: probes by path become requests to the application's port.
#pragma once

#include <cstdint>
#include <string>

#include "core/config/diagnostics.h"
#include "core/config/yaml.h"
#include "core/model/health.h"
#include "core/model/watch.h"

namespace sentinel {

/// Reads a mapping that was checked against docs/reference/project.yaml; null is an empty one. There is always a
/// readiness probe called "ready". `port` is the application's, on loopback. Errors: `health.probe` for values that
/// only the whole shows to be wrong, `health.duplicate-probe`.
HealthSettings read_health(const Node& health, std::uint16_t port, Diagnostics& diagnostics);

/// The same mapping as what a host watches for good: the readiness and liveness probes of `settings`, and `watch`.
/// Errors: `health.probe`.
WatchSettings read_watch(const Node& health, const std::string& app, const HealthSettings& settings,
                         Diagnostics& diagnostics);

}  // namespace sentinel
