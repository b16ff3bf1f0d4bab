// SPDX-License-Identifier: Apache-2.0
#include "proxy/usage/usage_totals.h"

#include <algorithm>

namespace sentinel::proxy {

void UsageTotals::track(UsageItem item) {
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = totals_.try_emplace({item.email, item.model}, item);
  if (is_new) return;
  UsageItem& total = place->second;
  total.input_tokens += item.input_tokens;
  total.output_tokens += item.output_tokens;
  total.requests += item.requests;
  total.time = std::min(total.time, item.time);
  total.estimated = total.estimated || item.estimated;
}

std::map<std::pair<std::string, std::string>, UsageItem> UsageTotals::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

}  // namespace sentinel::proxy
