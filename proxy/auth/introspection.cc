// SPDX-License-Identifier: Apache-2.0
#include "proxy/auth/introspection.h"

#include <fmt/format.h>

#include "core/base/digest.h"
#include "proxy/auth/jwt.h"
#include "proxy/auth/profile.h"
#include "proxy/net/status_text.h"

namespace sentinel::proxy {
namespace {

constexpr std::string_view kKeyPrefix = "sentinel:profile:";

/// A profile and the milliseconds it has left, in one round trip.
const RedisScript& find_script() {
  static const RedisScript script("return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}");
  return script;
}

/// What can stand in a header of ours.
bool is_visible(std::string_view token) {
  for (const char letter : token) {
    if (letter < 0x20 || letter > 0x7e) return false;
  }
  return true;
}

std::optional<CachedIdentity::Time> end_of(std::string_view token) {
  const std::optional<Jwt> jwt = parse_jwt(token);
  return jwt ? jwt->claims.expires : std::nullopt;
}

}  // namespace

Task<AuthOutcome> IntrospectionAuthenticator::authenticate(std::string_view token) {
  if (!is_visible(token)) co_return AuthRefusal{401, "UNAUTHORIZED", "Authentication required"};
  const std::string digest = sha256_hex(token);
  const Time now = parts_.clock.now();
  const std::optional<CachedIdentity> cached = parts_.cache.find(digest);
  if (cached && now < cached->fresh_until) {
    parts_.metrics.hit.add();
    if (!cached->identity) co_return AuthRefusal{};
    co_return *cached->identity;
  }
  const bool stale = cached && cached->identity && now < cached->stale_until;
  if (stale && parts_.state.service_away) {
    if (now >= parts_.state.next_try.load()) {
      parts_.state.next_try = now + times_.try_again;
      parts_.loop.spawn(revalidate(digest, std::string(token)));
    }
    parts_.metrics.stale.add();
    co_return *cached->identity;
  }
  parts_.metrics.miss.add();
  const auto work = [&] { return look_up(digest, std::string(token)); };
  std::optional<AuthOutcome> outcome =
      co_await parts_.state.questions.run(parts_.loop, digest, parts_.service.timeout * 2, work);
  if (!outcome) outcome = AuthRefusal{502, "UPSTREAM_ERROR", "Upstream service error"};
  const auto* refusal = std::get_if<AuthRefusal>(&*outcome);
  if (stale && refusal != nullptr && parts_.state.service_away) {
    parts_.metrics.stale.add();
    co_return *cached->identity;
  }
  co_return std::move(*outcome);
}

Task<void> IntrospectionAuthenticator::revalidate(std::string digest, std::string token) {
  const auto work = [&] { return look_up(digest, token); };
  co_await parts_.state.questions.run(parts_.loop, digest, parts_.service.timeout * 2, work);
}

Task<AuthOutcome> IntrospectionAuthenticator::look_up(std::string digest, std::string token) {
  const std::string key = std::string(kKeyPrefix) + digest;
  const std::optional<Time> token_end = end_of(token);
  if (parts_.redis != nullptr && times_.ttl.count() > 0) {
    std::optional<Identity> found = co_await look_in_redis(key, digest, token_end);
    if (found) co_return std::move(*found);
  }
  AuthOutcome outcome = co_await ask_service(key, digest, std::move(token), token_end);
  co_return outcome;
}

Task<std::optional<Identity>> IntrospectionAuthenticator::look_in_redis(std::string key, std::string digest,
                                                                        std::optional<Time> token_end) {
  std::vector<std::string> words{"1", key};
  const std::optional<RedisReply> reply = co_await parts_.redis->run(find_script(), std::move(words));
  if (!reply || reply->is(RedisReply::Kind::kError)) {
    parts_.metrics.degraded.with({"profile"}).add();
    co_return std::nullopt;
  }
  if (reply->elements.size() != 2 || !reply->elements[0].is(RedisReply::Kind::kString)) co_return std::nullopt;
  const std::optional<Profile> profile = profile_of_cache(reply->elements[0].text);
  const auto left =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::milliseconds(reply->elements[1].integer));
  const Time now = parts_.clock.now();
  if (!profile || left.count() < 0 || (token_end && *token_end <= now)) co_return std::nullopt;
  parts_.metrics.shared_hit.add();
  parts_.cache.keep(digest, lifetime_of(profile->identity(), now, std::min(left, times_.ttl), times_.stale, token_end));
  co_return profile->identity();
}

AuthOutcome IntrospectionAuthenticator::trouble(std::string message) {
  parts_.state.service_away = true;
  parts_.state.next_try = parts_.clock.now() + times_.try_again;
  return AuthRefusal{502, "UPSTREAM_ERROR", std::move(message)};
}

Task<AuthOutcome> IntrospectionAuthenticator::ask_service(std::string key, std::string digest, std::string token,
                                                          std::optional<Time> token_end) {
  FetchRequest request = parts_.service.as_user("GET", "/api/v1/users/me", token);
  const FetchAnswer answer = co_await fetch(parts_.loop, parts_.pool, std::move(request));
  parts_.metrics.service.with({"profile", answer.outcome()}).add();
  if (answer.status != ClientStatus::kDone) co_return trouble("Upstream service error");
  const Time now = parts_.clock.now();
  if (answer.code == 401) {
    parts_.state.service_away = false;
    parts_.cache.forget(digest);
    if (times_.refused.count() > 0) parts_.cache.keep(digest, {std::nullopt, now + times_.refused, now});
    co_return AuthRefusal{};
  }
  if (!answer.good()) {
    // The body isn't shown: it is the account service's, not the user's.
    std::string message = fmt::format("Zion API error {}", answer.outcome());
    if (answer.code >= 500 || answer.code == 429) co_return trouble(std::move(message));
    parts_.cache.forget(digest);
    co_return AuthRefusal{502, "UPSTREAM_ERROR", std::move(message)};
  }
  const std::optional<Profile> profile = profile_of_answer(answer.body);
  if (!profile) co_return trouble("Failed to parse the answer of Zion");
  parts_.state.service_away = false;
  const CachedIdentity entry = lifetime_of(profile->identity(), now, times_.ttl, times_.stale, token_end);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(entry.fresh_until - now).count();
  if (seconds > 0) {
    parts_.cache.keep(digest, entry);
    if (parts_.redis != nullptr) {
      RedisCommand command{"SETEX", key, std::to_string(seconds), profile_to_cache(*profile)};
      const std::optional<RedisReply> kept = co_await parts_.redis->ask(std::move(command));
      if (!kept || kept->is(RedisReply::Kind::kError)) parts_.metrics.degraded.with({"profile"}).add();
    }
  }
  co_return profile->identity();
}

}  // namespace sentinel::proxy
