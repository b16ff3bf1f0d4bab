// SPDX-License-Identifier: Apache-2.0
#include "proxy/limits/local_rate_limiter.h"

#include <algorithm>

namespace sentinel::proxy {

WindowCounts::Count& WindowCounts::current(Shard& shard, const std::string& id, std::int64_t window) {
  if (shard.swept < window) {
    shard.swept = window;
    std::erase_if(shard.counts, [window](const auto& entry) { return entry.second.window < window - 1; });
  }
  Count& count = shard.counts[id];
  if (count.window != window) {
    count.previous = count.window == window - 1 ? count.current : 0;
    count.current = 0;
    count.window = window;
  }
  return count;
}

RateVerdict WindowCounts::count(const std::string& id, std::int64_t now, std::int64_t limit) {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  Count& count = current(shard, id, window_of(now));
  ++count.current;
  return decide_two_windows(count.previous, count.current, now, limit);
}

void WindowCounts::remember(const std::string& id, std::int64_t now, std::int64_t previous, std::int64_t current_) {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  Count& count = current(shard, id, window_of(now));
  count.previous = std::max(count.previous, previous);
  count.current = std::max(count.current, current_);
}

Task<RateVerdict> LocalRateLimiter::admit(const Identity& identity) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
  co_return counts_.count(identity.id, now, limit_);
}

}  // namespace sentinel::proxy
