// SPDX-License-Identifier: Apache-2.0
// What a rollout on this host is made of: the runtimes, the probes and the judge, over the real machine.
#pragma once

#include "core/health/probe_runner.h"
#include "core/release/compose_runtime.h"
#include "core/release/endpoint_judge.h"
#include "core/release/rollout.h"
#include "core/release/systemd_runtime.h"

namespace sentinel::agent {

class ReleaseParts {
 public:
  ReleaseParts(System& machine, Clock& clock);

  /// For releases of this runtime; an application keeps its own.
  RolloutSurroundings surroundings(HostState& host, EventSink& events, RuntimeKind kind) {
    Runtime& runtime = kind == RuntimeKind::kCompose ? static_cast<Runtime&>(compose_) : systemd_;
    return {host, runtime, judge_, clock_, events};
  }

 private:
  Clock& clock_;
  SystemdRuntime systemd_;
  ComposeRuntime compose_;
  LocalProbeRunner runner_;
  EndpointJudge judge_;
};

}  // namespace sentinel::agent
