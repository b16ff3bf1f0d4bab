// SPDX-License-Identifier: Apache-2.0
// What becomes of use, in rows of batches. Any thread.
#pragma once

#include <atomic>

#include "proxy/observe/metrics.h"

namespace sentinel::proxy {

struct UsageMetrics {
  explicit UsageMetrics(Metrics& registry)
      : success(registry.counter("sentinel_usage_success_total", "Rows of use the account service took").with({})),
        failed(registry.counter("sentinel_usage_failed_total", "Rows of use in calls that failed or were refused")
                   .with({})),
        dropped(registry.counter("sentinel_usage_dropped_total", "Rows of use that could not be kept").with({})),
        dead(registry.counter("sentinel_usage_dead_total", "Rows of use put aside for a person").with({})),
        journal_errors(
            registry.counter("sentinel_usage_journal_errors_total", "Records the journal could not take").with({})) {
    registry.gauge_from("sentinel_usage_circuit_state", "0: closed, 1: half open, 2: open",
                        [this] { return static_cast<double>(circuit.load()); });
    registry.gauge_from("sentinel_usage_pending", "Rows of use that are in no batch yet",
                        [this] { return static_cast<double>(pending.load()); });
    registry.gauge_from("sentinel_usage_backlog", "Batches that wait in this process to be tried again",
                        [this] { return static_cast<double>(backlog.load()); });
  }

  Counter& success;
  Counter& failed;
  Counter& dropped;
  Counter& dead;
  Counter& journal_errors;
  std::atomic<int> circuit{0};
  std::atomic<std::size_t> pending{0};
  std::atomic<std::size_t> backlog{0};
};

}  // namespace sentinel::proxy
