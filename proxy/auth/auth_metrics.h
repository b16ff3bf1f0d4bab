// SPDX-License-Identifier: Apache-2.0
// How tokens were judged, for everything that judges them. Any thread.
#pragma once

#include "proxy/observe/metrics.h"

namespace sentinel::proxy {

struct AuthMetrics {
  explicit AuthMetrics(Metrics& registry)
      : cache(registry.counter("sentinel_cache_operations_total", "Uses of caches", {"operation", "result"})),
        hit(cache.with({"profile", "hit"})),
        shared_hit(cache.with({"profile", "shared_hit"})),
        miss(cache.with({"profile", "miss"})),
        stale(cache.with({"profile", "stale"})),
        service(registry.counter("sentinel_zion_requests_total", "Calls to the account service", {"call", "outcome"})),
        degraded(registry.counter("sentinel_redis_fallbacks_total", "Times Redis was not to be had, by what wanted it",
                                  {"use"})) {}

  Family<Counter>& cache;
  Counter& hit;
  Counter& shared_hit;
  Counter& miss;
  Counter& stale;
  Family<Counter>& service;
  Family<Counter>& degraded;
};

}  // namespace sentinel::proxy
