// SPDX-License-Identifier: Apache-2.0
#include "proxy/auth/identity_cache.h"

#include <algorithm>

namespace sentinel::proxy {

IdentityCache::IdentityCache(std::size_t most) : most_per_shard_(std::max<std::size_t>(1, most / shards_.size())) {}

std::optional<CachedIdentity> IdentityCache::find(const std::string& digest) {
  Shard& shard = shard_of(digest);
  const std::lock_guard lock(shard.mutex);
  const auto place = shard.places.find(digest);
  if (place == shard.places.end()) return std::nullopt;
  shard.order.splice(shard.order.begin(), shard.order, place->second);
  return place->second->second;
}

void IdentityCache::keep(const std::string& digest, CachedIdentity entry) {
  Shard& shard = shard_of(digest);
  const std::lock_guard lock(shard.mutex);
  if (const auto place = shard.places.find(digest); place != shard.places.end()) {
    place->second->second = std::move(entry);
    shard.order.splice(shard.order.begin(), shard.order, place->second);
    return;
  }
  shard.order.emplace_front(digest, std::move(entry));
  shard.places[digest] = shard.order.begin();
  if (shard.order.size() <= most_per_shard_) return;
  shard.places.erase(shard.order.back().first);
  shard.order.pop_back();
}

void IdentityCache::forget(const std::string& digest) {
  Shard& shard = shard_of(digest);
  const std::lock_guard lock(shard.mutex);
  const auto place = shard.places.find(digest);
  if (place == shard.places.end()) return;
  shard.order.erase(place->second);
  shard.places.erase(place);
}

std::size_t IdentityCache::size() const {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.order.size();
  }
  return sum;
}

CachedIdentity lifetime_of(Identity identity, CachedIdentity::Time now, std::chrono::seconds ttl,
                           std::chrono::seconds stale, std::optional<CachedIdentity::Time> token_end) {
  CachedIdentity entry{std::move(identity), now + ttl, now + ttl + stale};
  if (ttl.count() == 0) entry.stale_until = now;
  if (token_end) {
    const CachedIdentity::Time end = std::max(now, *token_end);
    entry.fresh_until = std::min(entry.fresh_until, end);
    entry.stale_until = std::min(entry.stale_until, end);
  }
  return entry;
}

}  // namespace sentinel::proxy
