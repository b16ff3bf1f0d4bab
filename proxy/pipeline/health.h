// SPDX-License-Identifier: Apache-2.0
// /health, /health/ready, /health/live and /metrics.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/pipeline/routes.h"

namespace sentinel::proxy {

/// What the whole process tells of itself. Any thread.
struct ProcessState {
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  std::atomic<bool> draining{false};  ///< not ready for new traffic
};

/// A service the proxy depends on.
class HealthCheck {
 public:
  virtual ~HealthCheck() = default;
  virtual std::string_view name() const = 0;
  /// Empty when it is well; otherwise what is wrong, without secrets. With a deadline of its own.
  virtual Task<std::string> check() = 0;
};

/// Redis by a PING, with the deadline that each of its commands has. One loop's, like its client.
class RedisHealthCheck final : public HealthCheck {
 public:
  /// Null when none is configured: it isn't asked then.
  explicit RedisHealthCheck(RedisClient* redis) : redis_(redis) {}

  std::string_view name() const override { return "redis"; }

  Task<std::string> check() override;

 private:
  RedisClient* redis_;
};

/// Of one worker; they outlive the handlers.
using HealthChecks = std::vector<HealthCheck*>;

class HealthHandler final : public Handler {
 public:
  enum class Question { kWhole, kReady, kLive };

  HealthHandler(Question question, const ProcessState& state, HealthChecks checks = {})
      : question_(question), state_(state), checks_(std::move(checks)) {}

  Task<void> handle(RequestContext& context) override;

 private:
  Question question_;
  const ProcessState& state_;
  HealthChecks checks_;
};

class MetricsHandler final : public Handler {
 public:
  explicit MetricsHandler(const Metrics& metrics) : metrics_(metrics) {}

  Task<void> handle(RequestContext& context) override;

 private:
  const Metrics& metrics_;
};

}  // namespace sentinel::proxy
