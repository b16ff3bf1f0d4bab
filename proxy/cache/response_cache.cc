// SPDX-License-Identifier: Apache-2.0
#include "proxy/cache/response_cache.h"

#include <utility>

namespace sentinel::proxy {
namespace {

constexpr std::size_t kEntryCost = 512;  // of the tables, beside the bytes of the answer

std::string place_of(const CacheKey& key, AnswerForm form) {
  return key + (form == AnswerForm::kWhole ? "w" : "s");
}

}  // namespace

ResponseCache::ResponseCache(std::size_t bytes, std::chrono::seconds time_to_live)
    : most_shard_(bytes / kShards), most_answer_(most_shard_ / 2), time_to_live_(time_to_live) {}

std::size_t ResponseCache::cost(const Entry& entry) {
  return entry.answer->body.size() + kEntryCost;
}

ResponseCache::Shard& ResponseCache::shard_of(const std::string& place) {
  return shards_[std::hash<std::string>{}(place) % kShards];
}

void ResponseCache::erase(Shard& shard, std::list<Entry>::iterator entry) {
  shard.bytes -= cost(*entry);
  shard.places.erase(entry->place);
  shard.entries.erase(entry);
}

std::shared_ptr<const CachedAnswer> ResponseCache::find(const CacheKey& key, AnswerForm form,
                                                        std::chrono::steady_clock::time_point now) {
  const std::string place = place_of(key, form);
  Shard& shard = shard_of(place);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.places.find(place);
  if (found == shard.places.end()) return nullptr;
  const auto entry = found->second;
  if (entry->expires <= now) {
    erase(shard, entry);
    return nullptr;
  }
  shard.entries.splice(shard.entries.begin(), shard.entries, entry);
  return entry->answer;
}

void ResponseCache::store(const CacheKey& key, AnswerForm form, CachedAnswer answer,
                          std::chrono::steady_clock::time_point now) {
  if (answer.body.size() > most_answer_) return;
  const std::string place = place_of(key, form);
  Entry entry{place, std::make_shared<const CachedAnswer>(std::move(answer)), now + time_to_live_};
  Shard& shard = shard_of(place);
  const std::lock_guard lock(shard.mutex);
  if (const auto found = shard.places.find(place); found != shard.places.end()) erase(shard, found->second);
  const std::size_t wanted = cost(entry);
  if (wanted > most_shard_) return;
  while (shard.bytes + wanted > most_shard_) erase(shard, std::prev(shard.entries.end()));
  shard.entries.push_front(std::move(entry));
  shard.places[place] = shard.entries.begin();
  shard.bytes += wanted;
}

std::size_t ResponseCache::bytes() const {
  std::size_t bytes = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    bytes += shard.bytes;
  }
  return bytes;
}

std::size_t ResponseCache::entries() const {
  std::size_t entries = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    entries += shard.entries.size();
  }
  return entries;
}

}  // namespace sentinel::proxy
