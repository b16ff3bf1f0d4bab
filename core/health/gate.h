// SPDX-License-Identifier: Apache-2.0
// The health gate: asks the probes until all are healthy, or until the deadline, the end of the process, or a cancel.
// A failure before the deadline never decides: programs that need 50 s to start are unhealthy for 50 s and then fine.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/health/probe_runner.h"
#include "core/model/health.h"

namespace sentinel {

/// What ends a gate early, and who hears of its progress. Any may be empty. Called on the thread of await_healthy, at
/// least every 100 ms between probes.
struct GateHooks {
  std::function<std::optional<std::string>()>
      process_ended;  ///< why there is nothing left to ask: "it exited with status 1"
  std::function<bool()> cancelled;
  std::function<void(const Probe&, const ProbeAnswer&)> on_answer;
};

/// Healthy when every probe has its successes in a row: startup probes first and once, then readiness and liveness,
/// then the verify probes while readiness and liveness go on. No probes at all is unhealthy. Blocks for at most the
/// deadline, and never answers "healthy" after it.
GateVerdict await_healthy(const std::vector<Probe>& probes, const GateSettings& settings, ProbeRunner& runner,
                          Clock& clock, const GateHooks& hooks = {});

}  // namespace sentinel
