// SPDX-License-Identifier: Apache-2.0
#include "proxy/limits/redis_rate_limiter.h"

#include <fmt/format.h>

namespace sentinel::proxy {
namespace {

constexpr int kKeepSeconds = 120;

/// Trouble with the window before counts as 0; trouble with this one is an error. Lua's numbers are the doubles that
/// the decision needs, but it is made here, by the same function as in process.
const RedisScript& count_script() {
  static const RedisScript script(
      "local previous = redis.pcall('GET', KEYS[1])\n"
      "if type(previous) ~= 'string' then previous = 0 end\n"
      "local current = redis.call('INCRBY', KEYS[2], 1)\n"
      "redis.call('EXPIRE', KEYS[2], ARGV[1])\n"
      "return {tonumber(previous) or 0, current}\n");
  return script;
}

}  // namespace

Task<RateVerdict> RedisRateLimiter::admit(const Identity& identity) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(parts_.clock.now().time_since_epoch()).count();
  const std::int64_t window = window_of(now);
  std::vector<std::string> words{"2", fmt::format("sentinel:ratelimit:ai:{}:{}", identity.id, window - 1),
                                 fmt::format("sentinel:ratelimit:ai:{}:{}", identity.id, window),
                                 std::to_string(kKeepSeconds)};
  const std::optional<RedisReply> reply = co_await parts_.redis.run(count_script(), std::move(words));
  if (!reply || reply->elements.size() != 2) {
    parts_.fallbacks.add();
    co_return parts_.counts.count(identity.id, now, limit_);
  }
  const std::int64_t previous = reply->elements[0].integer;
  const std::int64_t current = reply->elements[1].integer;
  parts_.counts.remember(identity.id, now, previous, current);
  co_return decide_two_windows(previous, current, now, limit_);
}

}  // namespace sentinel::proxy
