// SPDX-License-Identifier: Apache-2.0
// /debug/cache, /debug/auth/{id} and /debug/config, for operators, when SENTINEL_DEBUG allows it. They show counts,
// digests and addresses, never a secret.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "proxy/pipeline/routes.h"

namespace sentinel::proxy {

/// What the debug routes tell. The functions may be called from any thread.
struct DebugFacts {
  struct Cache {
    std::size_t keys = 0;
    std::vector<std::string> samples;  ///< at most ten names of keys
  };

  bool enabled = false;
  std::string zion_api_url;
  std::string openai_api_url;
  std::int64_t cache_ttl_seconds = 0;
  std::int64_t jwt_cache_ttl_seconds = 0;
  std::function<Cache()> profiles = [] { return Cache{}; };  ///< users that were recognised
  std::function<bool()> redis_connected = [] { return false; };
};

class DebugHandler final : public Handler {
 public:
  enum class Question { kCache, kAuth, kConfig };

  DebugHandler(Question question, const DebugFacts& facts) : question_(question), facts_(facts) {}

  Task<void> handle(RequestContext& context) override;

 private:
  std::string answer(std::string_view path) const;

  Question question_;
  const DebugFacts& facts_;
};

}  // namespace sentinel::proxy
