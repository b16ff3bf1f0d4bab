// SPDX-License-Identifier: Apache-2.0
// Requests counted in Redis, for all instances together: one script, one round trip. When it doesn't answer in time, or
// answers with an error (full, a key of another type), the request is counted in process, going on from what Redis said
// last.
#pragma once

#include "proxy/limits/local_rate_limiter.h"
#include "proxy/observe/metrics.h"
#include "proxy/redis/redis_client.h"

namespace sentinel::proxy {

class RedisRateLimiter final : public RateLimiter {
 public:
  struct Parts {
    RedisClient& redis;
    WindowCounts& counts;
    const Clock& clock;
    Counter& fallbacks;
  };

  RedisRateLimiter(Parts parts, std::int64_t limit) : parts_(parts), limit_(limit) {}

  Task<RateVerdict> admit(const Identity& identity) override;

  void set_limit(std::int64_t limit) override { limit_ = limit; }

 private:
  Parts parts_;
  std::int64_t limit_;
};

}  // namespace sentinel::proxy
