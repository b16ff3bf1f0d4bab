// SPDX-License-Identifier: Apache-2.0
// Answers kept in this process, for requests that say exactly the same: one table for all workers, in locked shards,
// bounded in bytes; the least recently used go first. Only what an operator asked to be kept gets here.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "proxy/cache/answer_form.h"
#include "proxy/cache/cache_key.h"
#include "proxy/json/usage.h"

namespace sentinel::proxy {

struct CachedAnswer {
  std::string body;  ///< as the upstream sent it
  TokenCount usage;  ///< what making it took
};

/// Any thread.
class ResponseCache {
 public:
  /// `bytes`: of all answers together; 0 keeps nothing.
  ResponseCache(std::size_t bytes, std::chrono::seconds time_to_live);

  /// Null: there is none, or it is too old. The answer stays valid as long as it is held.
  std::shared_ptr<const CachedAnswer> find(const CacheKey& key, AnswerForm form,
                                           std::chrono::steady_clock::time_point now);
  void store(const CacheKey& key, AnswerForm form, CachedAnswer answer, std::chrono::steady_clock::time_point now);

  /// An answer larger than this is not worth keeping, because it would push out too many others.
  std::size_t most_answer() const { return most_answer_; }

  std::size_t bytes() const;
  std::size_t entries() const;

 private:
  struct Entry {
    std::string place;  ///< key and form
    std::shared_ptr<const CachedAnswer> answer;
    std::chrono::steady_clock::time_point expires;
  };

  struct Shard {
    mutable std::mutex mutex;
    std::size_t bytes = 0;
    std::list<Entry> entries;  ///< the most recently used first
    std::unordered_map<std::string, std::list<Entry>::iterator> places;
  };

  static constexpr std::size_t kShards = 16;

  static std::size_t cost(const Entry& entry);
  Shard& shard_of(const std::string& place);
  static void erase(Shard& shard, std::list<Entry>::iterator entry);

  std::size_t most_shard_;
  std::size_t most_answer_;
  std::chrono::seconds time_to_live_;
  std::array<Shard, kShards> shards_;
};

}  // namespace sentinel::proxy
