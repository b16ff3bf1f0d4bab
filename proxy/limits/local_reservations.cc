// SPDX-License-Identifier: Apache-2.0
#include "proxy/limits/local_reservations.h"

#include <algorithm>

#include "proxy/limits/budget_period.h"
#include "proxy/limits/two_windows.h"

namespace sentinel::proxy {
namespace {

class LocalReservation final : public Reservation {
 public:
  LocalReservation(ReservationTable& table, TakenTokens taken) : table_(table), taken_(std::move(taken)) {}

  ~LocalReservation() override {
    if (!settled_) table_.settle(taken_, 0);
  }

  void settle(TokenNeed used) override {
    settled_ = true;
    table_.settle(taken_, used.total());
  }

 private:
  ReservationTable& table_;
  TakenTokens taken_;
  bool settled_ = false;
};

}  // namespace

void ReservationTable::sweep(std::int64_t window, const std::string& span) {
  if (swept_ == window) return;
  swept_ = window;
  std::erase_if(uses_, [&](const auto& entry) {
    const Use& use = entry.second;
    return use.running == 0 && use.window < window - 1 && (use.span != span || use.spent == 0);
  });
}

std::variant<TakenTokens, LimitRefusal> ReservationTable::take(const std::string& id, std::int64_t tokens,
                                                               std::int64_t now, const UserLimits& limits) {
  const std::int64_t window = window_of(now);
  const BudgetSpan span = budget_span(limits.period, now);
  const std::lock_guard lock(mutex_);
  sweep(window, span.name);
  Use& use = uses_[id];
  if (use.window != window) {
    use.previous = use.window == window - 1 ? use.current : 0;
    use.current = 0;
    use.window = window;
  }
  if (use.span != span.name) {
    use.span = span.name;
    use.spent = 0;
  }
  using Limit = LimitRefusal::Limit;
  const RateVerdict minute = decide_two_windows(use.previous, use.current, now, limits.tokens_per_minute);
  if (limits.tokens_per_minute > 0 && minute.used + tokens > limits.tokens_per_minute) {
    return LimitRefusal{Limit::kTokens, limits.tokens_per_minute, minute.used, minute.reset_at, now};
  }
  if (limits.budget > 0 && use.spent + tokens > limits.budget) {
    return LimitRefusal{Limit::kBudget, limits.budget, use.spent, span.reset_at, now};
  }
  if (limits.concurrent > 0 && use.running >= limits.concurrent) {
    return LimitRefusal{Limit::kConcurrency, limits.concurrent, use.running, 0, now};
  }
  use.current += tokens;
  use.spent += tokens;
  ++use.running;
  return TakenTokens{id, window, span.name, tokens};
}

void ReservationTable::settle(const TakenTokens& taken, std::int64_t used) {
  const std::lock_guard lock(mutex_);
  Use& use = uses_[taken.id];
  const std::int64_t difference = used - taken.tokens;
  if (use.window == taken.window) use.current = std::max<std::int64_t>(0, use.current + difference);
  if (use.window == taken.window + 1) use.previous = std::max<std::int64_t>(0, use.previous + difference);
  if (use.span == taken.span) use.spent = std::max<std::int64_t>(0, use.spent + difference);
  use.running = std::max<std::int64_t>(0, use.running - 1);
}

Task<ReserveOutcome> LocalReserver::reserve(const Identity& identity, TokenNeed need) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
  std::variant<TakenTokens, LimitRefusal> taken = table_.take(identity.id, need.total(), now, limits_);
  if (const auto* refusal = std::get_if<LimitRefusal>(&taken)) co_return *refusal;
  co_return std::make_unique<LocalReservation>(table_, std::get<TakenTokens>(std::move(taken)));
}

}  // namespace sentinel::proxy
