// SPDX-License-Identifier: Apache-2.0
// Kept answers in Redis, for all processes that ask it: sentinel:response:<key>:whole and :stream, each a line with the
// tokens it took ("1 <input> <output>\n", the first number being the format's) and the answer behind it. Redis ends
// them by itself. What is not to be had there is not there; nobody waits longer than a command's time.
#pragma once

#include <array>
#include <chrono>
#include <optional>

#include "proxy/cache/response_cache.h"
#include "proxy/observe/metrics.h"
#include "proxy/redis/redis_client.h"

namespace sentinel::proxy {

/// One per worker, on its thread.
class SharedAnswers {
 public:
  /// A larger answer is kept in process only: it would take too much of a command's time.
  static constexpr std::size_t kMostAnswer = std::size_t{256} << 10;

  /// By form.
  using Found = std::array<std::shared_ptr<const CachedAnswer>, 2>;

  /// `redis` should serve nothing else: answers are large, and what waits behind one on the connection waits for it.
  SharedAnswers(RedisClient& redis, std::chrono::seconds time_to_live, Counter& fallbacks)
      : redis_(redis), time_to_live_(time_to_live), fallbacks_(fallbacks) {}

  Task<Found> find(CacheKey key);
  /// Without waiting; may be lost.
  void store(const CacheKey& key, AnswerForm form, const CachedAnswer& answer);

 private:
  RedisClient& redis_;
  std::chrono::seconds time_to_live_;
  Counter& fallbacks_;
};

}  // namespace sentinel::proxy
