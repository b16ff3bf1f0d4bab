// SPDX-License-Identifier: Apache-2.0
// One call to the account service after the other: not more often than it likes, and not at all for a while after
// several failures in a row. Says of each batch what is still to be done about it.
#pragma once

#include "core/base/clock.h"
#include "proxy/auth/account_service.h"
#include "proxy/observe/log.h"
#include "proxy/usage/usage_batch.h"
#include "proxy/usage/usage_metrics.h"

namespace sentinel::proxy {

struct UsageTimes {
  std::chrono::milliseconds flush{500};     ///< until use is reported at the latest
  std::chrono::milliseconds open{30'000};   ///< the circuit stays open after failures
  std::chrono::milliseconds retry{60'000};  ///< between looks at what was kept
};

/// What is left of a batch after an attempt.
struct DeliveryResult {
  std::vector<UsageBatch> keep;  ///< to be tried again
  std::vector<UsageBatch> dead;  ///< no further attempt makes sense
};

class UsageDelivery {
 public:
  struct Parts {
    Loop& loop;
    ConnectionPool& pool;
    const AccountService& service;
    const Clock& clock;
    Log& log;
    UsageMetrics& metrics;
  };

  UsageDelivery(Parts parts, UsageTimes times) : parts_(parts), times_(times) {}

  /// Whether calls are made now; a circuit whose time is over lets one through.
  bool open_for_calls() const;

  bool closed() const { return failures_ < kMostFailures; }

  Task<DeliveryResult> deliver(UsageBatch batch);

  static constexpr int kMostAttempts = 5;

 private:
  static constexpr int kMostFailures = 3;
  static constexpr double kCallsPerSecond = 20;

  Task<void> wait_for_turn();
  void succeeded();
  void failed(const std::string& outcome);
  DeliveryResult after_failure(UsageBatch batch);
  DeliveryResult after_refusal(UsageBatch batch);
  DeliveryResult after_answer(const UsageBatch& batch, const std::string& body);
  std::int64_t now_ms() const;

  Parts parts_;
  UsageTimes times_;
  int failures_ = 0;  ///< in a row
  std::chrono::steady_clock::time_point opened_{};
  std::int64_t last_success_ = 0;
  double turns_ = kCallsPerSecond;  ///< a bucket: at most a second's worth at once
  std::chrono::steady_clock::time_point turns_at_ = std::chrono::steady_clock::now();
};

}  // namespace sentinel::proxy
