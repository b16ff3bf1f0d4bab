// SPDX-License-Identifier: Apache-2.0
// Reservations counted in this process: one table for all workers.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "proxy/limits/reservations.h"

namespace sentinel::proxy {

/// What was taken, and of which windows; given back to the same ones.
struct TakenTokens {
  std::string id;
  std::int64_t window = 0;  ///< the minute
  std::string span;         ///< the budget's day or month
  std::int64_t tokens = 0;
};

/// The shared counts. Any thread.
class ReservationTable {
 public:
  /// All of it, or nothing and why.
  std::variant<TakenTokens, LimitRefusal> take(const std::string& id, std::int64_t tokens, std::int64_t now,
                                               const UserLimits& limits);
  void settle(const TakenTokens& taken, std::int64_t used);

 private:
  struct Use {
    std::int64_t window = 0;
    std::int64_t current = 0;
    std::int64_t previous = 0;
    std::string span;
    std::int64_t spent = 0;
    std::int64_t running = 0;
  };

  void sweep(std::int64_t window, const std::string& span);

  std::mutex mutex_;
  std::int64_t swept_ = 0;
  std::map<std::string, Use> uses_;
};

class LocalReserver final : public Reserver {
 public:
  LocalReserver(ReservationTable& table, const Clock& clock, const UserLimits& limits)
      : table_(table), clock_(clock), limits_(limits) {}

  Task<ReserveOutcome> reserve(const Identity& identity, TokenNeed need) override;

 private:
  ReservationTable& table_;
  const Clock& clock_;
  UserLimits limits_;
};

}  // namespace sentinel::proxy
