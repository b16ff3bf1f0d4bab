// SPDX-License-Identifier: Apache-2.0
// Tokens seen before, by their SHA-256: whose they are, or that they are nobody's. Bounded; what was used longest ago
// goes first. One for all workers, in locked shards.
#pragma once

#include <array>
#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "proxy/auth/authenticator.h"

namespace sentinel::proxy {

struct CachedIdentity {
  using Time = std::chrono::system_clock::time_point;

  std::optional<Identity> identity;  ///< nothing: the token was refused
  Time fresh_until;                  ///< not to be asked about before
  Time stale_until;                  ///< good until then when nobody can be asked
};

/// Any thread.
class IdentityCache {
 public:
  /// `most` entries, about.
  explicit IdentityCache(std::size_t most);

  std::optional<CachedIdentity> find(const std::string& digest);
  void keep(const std::string& digest, CachedIdentity entry);
  void forget(const std::string& digest);
  std::size_t size() const;

 private:
  using Order = std::list<std::pair<std::string, CachedIdentity>>;

  struct Shard {
    mutable std::mutex mutex;
    Order order;  ///< last used first
    std::unordered_map<std::string, Order::iterator> places;
  };

  Shard& shard_of(const std::string& digest) { return shards_[std::hash<std::string>()(digest) % shards_.size()]; }

  std::size_t most_per_shard_;
  std::array<Shard, 16> shards_;
};

/// When a token that was just recognised may be believed until: at most `ttl`, never past its own end; past that for
/// `stale` when the service is away. Times equal to `now` mean: not at all.
CachedIdentity lifetime_of(Identity identity, CachedIdentity::Time now, std::chrono::seconds ttl,
                           std::chrono::seconds stale, std::optional<CachedIdentity::Time> token_end);

}  // namespace sentinel::proxy
