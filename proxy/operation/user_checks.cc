// SPDX-License-Identifier: Apache-2.0
#include "proxy/operation/user_checks.h"

#include <fmt/format.h>

#include "proxy/auth/authenticator_chain.h"
#include "proxy/json/cursor.h"
#include "proxy/limits/redis_rate_limiter.h"

namespace sentinel::proxy {

SharedUserState::SharedUserState(const Settings& settings_, const Clock& clock_, Log& log_, Metrics& registry,
                                 NameResolver& names, std::shared_ptr<const StaticKeys> keys_)
    : settings(settings_),
      clock(clock_),
      log(log_),
      keys(std::move(keys_)),
      metrics(registry),
      account_service{settings.zion_url.value_or(BaseUrl{}), settings.zion_key, settings.zion_timeout},
      redis_tools{&names, nullptr},
      identities(settings.profile_cache_entries) {
  if (!settings.redis) return;
  registry.gauge_from("sentinel_redis_connections", "Connections to Redis that answer now",
                      [this] { return static_cast<double>(redis_health.connected.load()); });
  registry.gauge_from("sentinel_redis_timeouts", "Commands that Redis did not answer in time",
                      [this] { return static_cast<double>(redis_health.timeouts.load()); });
}

std::unique_ptr<RedisClient> SharedUserState::connect_redis(Loop& loop, std::chrono::milliseconds command_time) {
  if (!settings.redis) return nullptr;
  RedisTimes times;
  times.command = command_time;
  return std::make_unique<RedisClient>(
      loop, redis_tools, *settings.redis, times, redis_health, [this](bool connected, std::string_view reason) {
        if (connected) {
          log.event("info", "redis_connected");
        } else {
          log.event("warning", "redis_lost", fmt::format(R"("reason":{})", json_quoted(reason)));
        }
      });
}

UserChecks::UserChecks(Loop& loop, ConnectionPool& pool, SharedUserState& shared)
    : redis_(shared.connect_redis(loop, shared.settings.redis_time)) {
  build_authenticator(loop, pool, shared);
  build_limits(loop, pool, shared);
}

void UserChecks::apply(std::shared_ptr<const StaticKeys> keys, std::int64_t rate_limit) {
  if (static_keys_ != nullptr) static_keys_->replace_keys(std::move(keys));
  rate_limiter_->set_limit(rate_limit);
}

void UserChecks::build_authenticator(Loop& loop, ConnectionPool& pool, SharedUserState& shared) {
  const Settings& settings = shared.settings;
  if (!settings.keys_file.empty()) {
    auto keys = std::make_unique<StaticKeyAuthenticator>(shared.keys);
    static_keys_ = keys.get();
    authenticators_.push_back(std::move(keys));
  }
  if (settings.jwks) {
    JwksAuthenticator::Parts parts{loop, pool, shared.identities, shared.clock, shared.metrics};
    authenticators_.push_back(std::make_unique<JwksAuthenticator>(parts, *settings.jwks));
  }
  if (settings.zion_url) {
    IntrospectionTimes times;
    times.ttl = settings.profile_ttl;
    times.refused = settings.refused_ttl;
    times.stale = settings.stale;
    authenticators_.push_back(std::make_unique<IntrospectionAuthenticator>(
        IntrospectionAuthenticator::Parts{loop, pool, shared.account_service, shared.identities, shared.introspection,
                                          redis_.get(), shared.clock, shared.metrics},
        times));
  }
  std::vector<Authenticator*> links;
  for (const auto& authenticator : authenticators_) links.push_back(authenticator.get());
  if (links.size() > 1) authenticators_.push_back(std::make_unique<AuthenticatorChain>(links));
  authenticator_ = authenticators_.back().get();
}

void UserChecks::build_limits(Loop& loop, ConnectionPool& pool, SharedUserState& shared) {
  const Settings& settings = shared.settings;
  if (redis_ != nullptr) {
    rate_limiter_ =
        std::make_unique<RedisRateLimiter>(RedisRateLimiter::Parts{*redis_, shared.window_counts, shared.clock,
                                                                   shared.metrics.degraded.with({"request_limit"})},
                                           settings.rate_limit);
  } else {
    rate_limiter_ = std::make_unique<LocalRateLimiter>(shared.window_counts, shared.clock, settings.rate_limit);
  }
  reservers_.push_back(std::make_unique<NoReserver>());
  if (settings.user_limits.any()) {
    reservers_.push_back(std::make_unique<LocalReserver>(shared.reservations, shared.clock, settings.user_limits));
    if (redis_ != nullptr) {
      RedisReserver::Parts parts{loop, *redis_, *reservers_.back(), shared.clock,
                                 shared.metrics.degraded.with({"token_limit"})};
      reservers_.push_back(std::make_unique<RedisReserver>(parts, settings.user_limits));
    }
  }
  if (settings.quota) {
    QuotaReserver::Parts parts{loop,         pool,         shared.account_service, shared.quotas, *reservers_.back(),
                               redis_.get(), shared.clock, shared.metrics};
    reservers_.push_back(std::make_unique<QuotaReserver>(parts, settings.cache_ttl));
  }
  reserver_ = reservers_.back().get();
}

}  // namespace sentinel::proxy
