// SPDX-License-Identifier: Apache-2.0
// What a request may cost is taken before it is sent and set right when its use is known, so that any number of
// requests at once can't pass a limit that one after the other would have met.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>

#include "proxy/auth/authenticator.h"

namespace sentinel::proxy {

/// Zero: not limited.
struct UserLimits {
  enum class Period { kDay, kMonth };

  std::int64_t tokens_per_minute = 0;
  std::int64_t budget = 0;  ///< tokens per period (UTC)
  Period period = Period::kMonth;
  std::int64_t concurrent = 0;  ///< requests under way

  bool any() const { return tokens_per_minute > 0 || budget > 0 || concurrent > 0; }
};

/// Tokens a request may use, at most as far as that can be known.
struct TokenNeed {
  std::int64_t input = 0;
  std::int64_t output = 0;

  std::int64_t total() const { return input + output; }
};

struct LimitRefusal {
  enum class Limit { kTokens, kBudget, kConcurrency, kQuota };

  Limit which = Limit::kTokens;
  std::int64_t limit = 0;
  std::int64_t used = 0;      ///< without what was asked for now
  std::int64_t reset_at = 0;  ///< unix seconds; 0: not a matter of time
  std::int64_t now = 0;
};

/// What was taken for one request. Given back when it is destroyed without settle().
class Reservation {
 public:
  virtual ~Reservation() = default;
  /// What was really used takes the place of what was reserved. Never waits.
  virtual void settle(TokenNeed used) = 0;
};

using ReserveOutcome = std::variant<std::unique_ptr<Reservation>, LimitRefusal>;

/// One instance per worker, called on its thread. Never fails: what can't be counted together is counted in process.
class Reserver {
 public:
  virtual ~Reserver() = default;
  /// A null reservation: nothing is limited. `identity` is valid until the task ends.
  virtual Task<ReserveOutcome> reserve(const Identity& identity, TokenNeed need) = 0;
};

/// For proxies without such limits.
class NoReserver final : public Reserver {
 public:
  Task<ReserveOutcome> reserve(const Identity&, TokenNeed) override { co_return std::unique_ptr<Reservation>(); }
};

}  // namespace sentinel::proxy
