// SPDX-License-Identifier: Apache-2.0
// /health, /health/ready, /health/live and /metrics.
#pragma once

#include <atomic>

#include "proxy/pipeline/routes.h"

namespace sentinel::proxy {

/// What the whole process tells of itself. Any thread.
struct ProcessState {
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  std::atomic<bool> draining{false};  ///< not ready for new traffic
};

class HealthHandler final : public Handler {
 public:
  enum class Question { kWhole, kReady, kLive };

  HealthHandler(Question question, const ProcessState& state) : question_(question), state_(state) {}

  Task<void> handle(RequestContext& context) override;

 private:
  Question question_;
  const ProcessState& state_;
};

class MetricsHandler final : public Handler {
 public:
  explicit MetricsHandler(const Metrics& metrics) : metrics_(metrics) {}

  Task<void> handle(RequestContext& context) override;

 private:
  const Metrics& metrics_;
};

}  // namespace sentinel::proxy
