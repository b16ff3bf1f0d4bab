// SPDX-License-Identifier: Apache-2.0
// The quota of a user's subscription, as the account service knows it, enforced before a call instead of only being
// recorded after it. Between two looks at the service, use is counted on here. A service that is away stops nobody.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "proxy/auth/account_service.h"
#include "proxy/auth/auth_metrics.h"
#include "proxy/auth/coalesced.h"
#include "proxy/limits/reservations.h"
#include "proxy/redis/redis_client.h"

namespace sentinel::proxy {

/// One number of a subscription: input tokens, output tokens or requests.
struct Allowance {
  std::int64_t limit = 0;
  std::int64_t used = 0;
};

/// Absent: not limited.
struct Quota {
  std::optional<Allowance> input;
  std::optional<Allowance> output;
  std::optional<Allowance> requests;

  /// The first that is used up.
  std::optional<Allowance> exhausted() const;
};

/// {"success":…,"data":{"limits":[…]}}: of several limits the tightest counts. Nothing: not such an answer.
std::optional<Quota> quota_of_answer(const std::string& body, std::string& limits_text);
/// The array alone, as it is cached.
std::optional<Quota> quota_of_limits(const std::string& text);

/// What is known of users' quotas, for all workers. Any thread.
class QuotaTable {
 public:
  using Time = std::chrono::system_clock::time_point;

  struct Known {
    Quota quota;
    Time fresh_until;
  };

  std::optional<Known> find(const std::string& id) const;
  void keep(const std::string& id, Known known, Time now);
  void add(const std::string& id, TokenNeed tokens, std::int64_t requests);

 private:
  static constexpr std::size_t kMost = 10'000;
  mutable std::mutex mutex_;
  std::map<std::string, Known> known_;
};

class QuotaReserver final : public Reserver {
 public:
  struct Parts {
    Loop& loop;
    ConnectionPool& pool;
    const AccountService& service;
    QuotaTable& table;
    Reserver& inner;     ///< asked when the quota allows
    RedisClient* redis;  ///< may be null
    const Clock& clock;
    AuthMetrics& metrics;
  };

  QuotaReserver(Parts parts, std::chrono::seconds ttl) : parts_(parts), ttl_(ttl) {}

  Task<ReserveOutcome> reserve(const Identity& identity, TokenNeed need) override;

 private:
  class Held;

  /// Whether the service could be asked; what it said is in the table then.
  Task<bool> look_up(std::string id);
  Task<bool> look_in_redis(std::string key, std::string id);

  Parts parts_;
  std::chrono::seconds ttl_;
  Coalesced<bool> questions_;
};

}  // namespace sentinel::proxy
