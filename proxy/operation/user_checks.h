// SPDX-License-Identifier: Apache-2.0
// Everything that decides about a user, put together as the settings say: who it is, how many requests, how many
// tokens.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "proxy/auth/introspection.h"
#include "proxy/auth/static_keys.h"
#include "proxy/limits/local_rate_limiter.h"
#include "proxy/limits/quota.h"
#include "proxy/limits/redis_reservations.h"
#include "proxy/observe/log.h"
#include "proxy/operation/settings.h"

namespace sentinel::proxy {

/// What workers share of it. Each member says or is what makes it safe for several threads.
struct SharedUserState {
  SharedUserState(const Settings& settings, const Clock& clock, Log& log, Metrics& registry, NameResolver& names,
                  std::shared_ptr<const StaticKeys> keys);

  const Settings& settings;
  const Clock& clock;
  Log& log;
  std::shared_ptr<const StaticKeys> keys;
  AuthMetrics metrics;
  AccountService account_service;
  DialTools redis_tools;  ///< its trust is set before any client is made
  RedisHealth redis_health;
  IdentityCache identities;
  IntrospectionState introspection;
  WindowCounts window_counts;
  ReservationTable reservations;
  QuotaTable quotas;

  /// A client for one loop; null when no Redis is configured.
  std::unique_ptr<RedisClient> connect_redis(Loop& loop, std::chrono::milliseconds command_time);
};

/// One per worker.
class UserChecks {
 public:
  UserChecks(Loop& loop, ConnectionPool& pool, SharedUserState& shared);

  Authenticator& authenticator() { return *authenticator_; }

  RateLimiter& rate_limiter() { return *rate_limiter_; }

  Reserver& reserver() { return *reserver_; }

  /// After a reload.
  void apply(std::shared_ptr<const StaticKeys> keys, std::int64_t rate_limit);

  /// Null when none is configured.
  RedisClient* redis() { return redis_.get(); }

 private:
  void build_authenticator(Loop& loop, ConnectionPool& pool, SharedUserState& shared);
  void build_limits(Loop& loop, ConnectionPool& pool, SharedUserState& shared);

  std::unique_ptr<RedisClient> redis_;
  std::vector<std::unique_ptr<Authenticator>> authenticators_;
  Authenticator* authenticator_ = nullptr;
  StaticKeyAuthenticator* static_keys_ = nullptr;  ///< among the authenticators, when there are keys
  std::unique_ptr<RateLimiter> rate_limiter_;
  std::vector<std::unique_ptr<Reserver>> reservers_;
  Reserver* reserver_ = nullptr;
};

}  // namespace sentinel::proxy
