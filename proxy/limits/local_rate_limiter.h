// SPDX-License-Identifier: Apache-2.0
// Requests counted in this process: one table for all workers, in locked shards. Users that were silent for two windows
// are forgotten, so the table is no larger than what two minutes bring.
#pragma once

#include <array>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/base/clock.h"
#include "proxy/limits/two_windows.h"

namespace sentinel::proxy {

/// The shared counts. Any thread.
class WindowCounts {
 public:
  /// Counts one request of `id` at `now` and decides.
  RateVerdict count(const std::string& id, std::int64_t now, std::int64_t limit);
  /// What somebody else has counted for this window and the one before; counting here goes on from there.
  void remember(const std::string& id, std::int64_t now, std::int64_t previous, std::int64_t current);

 private:
  struct Count {
    std::int64_t window = 0;
    std::int64_t current = 0;
    std::int64_t previous = 0;
  };

  struct Shard {
    std::mutex mutex;
    std::int64_t swept = 0;  ///< the window in which the silent were last forgotten
    std::unordered_map<std::string, Count> counts;
  };

  Shard& shard_of(const std::string& id) { return shards_[std::hash<std::string>()(id) % shards_.size()]; }

  /// The count of `id`, moved on to the window; the shard is locked.
  static Count& current(Shard& shard, const std::string& id, std::int64_t window);

  std::array<Shard, 16> shards_;
};

class LocalRateLimiter final : public RateLimiter {
 public:
  LocalRateLimiter(WindowCounts& counts, const Clock& clock, std::int64_t limit)
      : counts_(counts), clock_(clock), limit_(limit) {}

  Task<RateVerdict> admit(const Identity& identity) override;

  void set_limit(std::int64_t limit) override { limit_ = limit; }

 private:
  WindowCounts& counts_;
  const Clock& clock_;
  std::int64_t limit_;
};

}  // namespace sentinel::proxy
