// SPDX-License-Identifier: Apache-2.0
// Days and months of UTC, as budgets count them.
#pragma once

#include <string>

#include "proxy/limits/reservations.h"

namespace sentinel::proxy {

struct BudgetSpan {
  std::string name;           ///< "2026-02-01", "2026-02"
  std::int64_t reset_at = 0;  ///< unix seconds of the next one's begin
};

BudgetSpan budget_span(UserLimits::Period period, std::int64_t now);

}  // namespace sentinel::proxy
