// SPDX-License-Identifier: Apache-2.0
// Reservations counted in Redis, for all instances together: one script that takes all or nothing. A request under way
// is a lease there, renewed while it runs, so that an instance that dies doesn't hold its users' places for long.
#pragma once

#include <list>

#include "proxy/limits/local_reservations.h"
#include "proxy/observe/metrics.h"
#include "proxy/redis/redis_client.h"

namespace sentinel::proxy {

class RedisReserver final : public Reserver {
 public:
  struct Parts {
    Loop& loop;
    RedisClient& redis;
    Reserver& local;  ///< takes over when Redis doesn't answer
    const Clock& clock;
    Counter& fallbacks;
  };

  RedisReserver(Parts parts, const UserLimits& limits);

  Task<ReserveOutcome> reserve(const Identity& identity, TokenNeed need) override;

 private:
  class Held;

  Task<void> renew();

  Parts parts_;
  UserLimits limits_;
  std::list<Held*> held_;
};

}  // namespace sentinel::proxy
