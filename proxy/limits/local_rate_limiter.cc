// SPDX-License-Identifier: Apache-2.0
#include "proxy/limits/local_rate_limiter.h"

#include <functional>

namespace sentinel::proxy {

RateVerdict WindowCounts::count(const std::string& id, std::int64_t now, std::int64_t limit) {
  Shard& shard = shards_[std::hash<std::string>()(id) % shards_.size()];
  const std::int64_t window = window_of(now);
  const std::lock_guard lock(shard.mutex);
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
  ++count.current;
  return decide_two_windows(count.previous, count.current, now, limit);
}

Task<RateVerdict> LocalRateLimiter::admit(const Identity& identity) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
  co_return counts_.count(identity.id, now, limit_);
}

}  // namespace sentinel::proxy
