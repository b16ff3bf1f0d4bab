// SPDX-License-Identifier: Apache-2.0
#include "proxy/limits/redis_reservations.h"

#include <fmt/format.h>

#include "core/base/digest.h"
#include "proxy/limits/budget_period.h"
#include "proxy/limits/two_windows.h"
#include "proxy/net/waiter.h"

namespace sentinel::proxy {
namespace {

constexpr std::chrono::milliseconds kLease{180'000};
constexpr std::chrono::seconds kRenewal{60};

/// KEYS: tokens of the minute before, of this minute, budget, leases. ARGV: tokens, limit per minute, seconds elapsed,
/// budget, seconds the budget is kept, limit of leases, now and lease in ms, name of the lease.
/// Returns which limit refused (0: none) and what is used of each.
const RedisScript& take_script() {
  static const RedisScript script(
      "local function count(key) return tonumber(redis.call('GET', key) or 0) or 0 end\n"
      "local wanted = tonumber(ARGV[1])\n"
      "local used = count(KEYS[2]) + math.floor(count(KEYS[1]) * (1.0 - tonumber(ARGV[3]) / 60.0))\n"
      "local spent = count(KEYS[3])\n"
      "redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', ARGV[7])\n"
      "local running = redis.call('ZCARD', KEYS[4])\n"
      "local function over(now, limit) return tonumber(limit) > 0 and now > tonumber(limit) end\n"
      "local refused = over(used + wanted, ARGV[2]) and 1 or over(spent + wanted, ARGV[4]) and 2\n"
      "  or over(running + 1, ARGV[6]) and 3 or 0\n"
      "if refused == 0 then\n"
      "  redis.call('INCRBY', KEYS[2], wanted)\n"
      "  redis.call('EXPIRE', KEYS[2], 120)\n"
      "  if tonumber(ARGV[4]) > 0 then\n"
      "    redis.call('INCRBY', KEYS[3], wanted)\n"
      "    redis.call('EXPIRE', KEYS[3], ARGV[5])\n"
      "  end\n"
      "  if tonumber(ARGV[6]) > 0 then\n"
      "    redis.call('ZADD', KEYS[4], tonumber(ARGV[7]) + tonumber(ARGV[8]), ARGV[9])\n"
      "    redis.call('PEXPIRE', KEYS[4], ARGV[8])\n"
      "  end\n"
      "end\n"
      "return {refused, used, spent, running}\n");
  return script;
}

/// KEYS: tokens of the minute, budget, leases. ARGV: the difference, the lease. A window that has gone stays gone.
constexpr std::string_view kSettle =
    "for i = 1, 2 do\n"
    "  if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('INCRBY', KEYS[i], ARGV[1]) end\n"
    "end\n"
    "return redis.call('ZREM', KEYS[3], ARGV[2])\n";

struct Keys {
  std::string minute_before;
  std::string minute;
  std::string budget;
  std::string leases;
};

Keys keys_of(const std::string& id, std::int64_t window, const std::string& span) {
  return {fmt::format("sentinel:ratelimit:tokens:{}:{}", id, window - 1),
          fmt::format("sentinel:ratelimit:tokens:{}:{}", id, window), fmt::format("sentinel:budget:{}:{}", id, span),
          fmt::format("sentinel:concurrent:{}", id)};
}

}  // namespace

class RedisReserver::Held final : public Reservation {
 public:
  Held(RedisReserver& owner, Keys keys, std::string lease, std::int64_t tokens)
      : owner_(owner), keys_(std::move(keys)), lease_(std::move(lease)), tokens_(tokens) {
    owner_.held_.push_front(this);
    place_ = owner_.held_.begin();
  }

  ~Held() override {
    if (!settled_) settle({});
    owner_.held_.erase(place_);
  }

  void settle(TokenNeed used) override {
    settled_ = true;
    owner_.parts_.redis.tell({"EVAL", std::string(kSettle), "3", keys_.minute, keys_.budget, keys_.leases,
                              std::to_string(used.total() - tokens_), lease_});
  }

  void renew(std::int64_t until) {
    if (settled_) return;
    owner_.parts_.redis.tell({"ZADD", keys_.leases, "XX", std::to_string(until), lease_});
    owner_.parts_.redis.tell({"PEXPIRE", keys_.leases, std::to_string(kLease.count())});
  }

 private:
  RedisReserver& owner_;
  Keys keys_;
  std::string lease_;
  std::int64_t tokens_;
  bool settled_ = false;
  std::list<Held*>::iterator place_;
};

RedisReserver::RedisReserver(Parts parts, const UserLimits& limits) : parts_(parts), limits_(limits) {
  if (limits_.concurrent > 0) parts_.loop.spawn(renew());
}

Task<void> RedisReserver::renew() {
  for (;;) {
    co_await pause_for(parts_.loop, kRenewal);
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(parts_.clock.now().time_since_epoch());
    for (Held* held : held_) held->renew((now + kLease).count());
  }
}

Task<ReserveOutcome> RedisReserver::reserve(const Identity& identity, TokenNeed need) {
  const auto now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(parts_.clock.now().time_since_epoch()).count();
  const std::int64_t now = now_ms / 1000;
  const std::int64_t window = window_of(now);
  const BudgetSpan span = budget_span(limits_.period, now);
  Keys keys = keys_of(identity.id, window, span.name);
  std::string lease = to_hex(random_bytes(8));
  std::vector<std::string> words{"4",
                                 keys.minute_before,
                                 keys.minute,
                                 keys.budget,
                                 keys.leases,
                                 std::to_string(need.total()),
                                 std::to_string(limits_.tokens_per_minute),
                                 std::to_string(now - window * kWindowSeconds),
                                 std::to_string(limits_.budget),
                                 std::to_string(span.reset_at - now + kWindowSeconds),
                                 std::to_string(limits_.concurrent),
                                 std::to_string(now_ms),
                                 std::to_string(kLease.count()),
                                 lease};
  const std::optional<RedisReply> reply = co_await parts_.redis.run(take_script(), std::move(words));
  if (!reply || reply->elements.size() != 4) {
    parts_.fallbacks.add();
    ReserveOutcome outcome = co_await parts_.local.reserve(identity, need);
    co_return outcome;
  }
  using Limit = LimitRefusal::Limit;
  const std::vector<RedisReply>& found = reply->elements;
  switch (found[0].integer) {
    case 0: co_return std::make_unique<Held>(*this, std::move(keys), std::move(lease), need.total());
    case 1:
      co_return LimitRefusal{Limit::kTokens, limits_.tokens_per_minute, found[1].integer, (window + 1) * kWindowSeconds,
                             now};
    case 2: co_return LimitRefusal{Limit::kBudget, limits_.budget, found[2].integer, span.reset_at, now};
    default: co_return LimitRefusal{Limit::kConcurrency, limits_.concurrent, found[3].integer, 0, now};
  }
}

}  // namespace sentinel::proxy
