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
  /// `patience`: with the container engine (see Docker).
  ReleaseParts(System& machine, Clock& clock, std::chrono::seconds patience = Docker::kPatience,
               EngineCall engine = local_engine());

  /// An application keeps its own.
  Runtime& runtime(RuntimeKind kind) {
    return kind == RuntimeKind::kCompose ? static_cast<Runtime&>(compose_) : systemd_;
  }

  RolloutSurroundings surroundings(HostState& host, EventSink& events, RuntimeKind kind) {
    return {host, runtime(kind), judge_, clock_, events};
  }

 private:
  Clock& clock_;
  SystemdRuntime systemd_;
  ComposeRuntime compose_;
  LocalProbeRunner runner_;
  EndpointJudge judge_;
};

}  // namespace sentinel::agent
