// SPDX-License-Identifier: Apache-2.0
// Judges a release by its probes and its own counts. Before the switch: the health gate, asked at the release's own
// endpoint, which serves every route and no traffic. After it: what it answers there, its restarts, and its share of
// failed requests against the former release's.
#pragma once

#include "core/health/bake.h"
#include "core/health/gate.h"
#include "core/release/rollout.h"
#include "core/release/systemd_runtime.h"

namespace sentinel {

class EndpointJudge final : public ReleaseJudge {
 public:
  EndpointJudge(Clock& clock, ProbeRunner& runner, AdminCall call)
      : clock_(clock), runner_(runner), call_(std::move(call)) {}

  Result<void> await_ready(const Release& next, const std::optional<Release>& former, Runtime& runtime,
                           const std::function<bool()>& cancelled) override;
  Result<std::string> watch(const Release& next, Runtime& runtime, const std::function<bool()>& cancelled) override;

 private:
  Result<RequestCounts> counts_of(const Release& release, Runtime& runtime);

  Clock& clock_;
  ProbeRunner& runner_;
  AdminCall call_;
  std::optional<RequestCounts> former_;  ///< of the former release, while the next one was looked at
};

}  // namespace sentinel
