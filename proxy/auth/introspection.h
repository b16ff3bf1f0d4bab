// SPDX-License-Identifier: Apache-2.0
// Asks the account service whose a token is, as rarely as it may: a cache in process, one in Redis that all instances
// share, and one question at a time per token. While the service is away, those it recognised before go on.
// Redis is a help only: without it, or with rubbish in it, the service is asked.
#pragma once

#include <atomic>

#include "core/base/clock.h"
#include "proxy/auth/account_service.h"
#include "proxy/auth/auth_metrics.h"
#include "proxy/auth/coalesced.h"
#include "proxy/auth/identity_cache.h"
#include "proxy/redis/redis_client.h"

namespace sentinel::proxy {

struct IntrospectionTimes {
  std::chrono::seconds ttl{300};      ///< a token is believed that long, or to its own end; 0: asked about each time
  std::chrono::seconds refused{0};    ///< a refused token stays refused that long; 0: asked about each time
  std::chrono::seconds stale{3600};   ///< past `ttl`, while the service is away
  std::chrono::seconds try_again{2};  ///< while it is away, between questions
};

/// What the authenticators of all workers know of asking. Any thread.
struct IntrospectionState {
  Coalesced<AuthOutcome> questions;
  std::atomic<bool> service_away{false};
  std::atomic<CachedIdentity::Time> next_try{};  ///< while it is away
};

class IntrospectionAuthenticator final : public Authenticator {
 public:
  struct Parts {
    Loop& loop;
    ConnectionPool& pool;
    const AccountService& service;
    IdentityCache& cache;
    IntrospectionState& state;
    RedisClient* redis;  ///< may be null
    const Clock& clock;
    AuthMetrics& metrics;
  };

  IntrospectionAuthenticator(Parts parts, IntrospectionTimes times) : parts_(parts), times_(times) {}

  Task<AuthOutcome> authenticate(std::string_view token) override;

 private:
  using Time = CachedIdentity::Time;

  /// Redis, then the service.
  Task<AuthOutcome> look_up(std::string digest, std::string token);
  Task<std::optional<Identity>> look_in_redis(std::string key, std::string digest, std::optional<Time> token_end);
  Task<AuthOutcome> ask_service(std::string key, std::string digest, std::string token, std::optional<Time> token_end);
  Task<void> revalidate(std::string digest, std::string token);
  AuthOutcome trouble(std::string message);

  Parts parts_;
  IntrospectionTimes times_;
};

}  // namespace sentinel::proxy
