// SPDX-License-Identifier: Apache-2.0
// What a rollout on this host is made of: the runtime, the probes and the judge, over the real machine.
#pragma once

#include "core/health/probe_runner.h"
#include "core/release/endpoint_judge.h"
#include "core/release/rollout.h"
#include "core/release/systemd_runtime.h"

namespace sentinel::agent {

class ReleaseParts {
 public:
  ReleaseParts(System& machine, Clock& clock);

  RolloutSurroundings surroundings(HostState& host, EventSink& events) {
    return {host, runtime_, judge_, clock_, events};
  }

 private:
  Clock& clock_;
  SystemdRuntime runtime_;
  LocalProbeRunner runner_;
  EndpointJudge judge_;
};

}  // namespace sentinel::agent
