// SPDX-License-Identifier: Apache-2.0
// What a request is served with: one set per worker, built by operation/worker. Every part is used on that worker's
// thread only, but for those whose contract says otherwise.
#pragma once

#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "proxy/auth/authenticator.h"
#include "proxy/cache/answer_store.h"
#include "proxy/limits/rate_limiter.h"
#include "proxy/limits/reservations.h"
#include "proxy/net/http_client.h"
#include "proxy/observe/log.h"
#include "proxy/pipeline/proxy_metrics.h"
#include "proxy/redis/redis_client.h"
#include "proxy/upstreams/upstream_set.h"
#include "proxy/usage/usage_sink.h"

namespace sentinel::proxy {

/// Who may get an answer that was made for somebody else's request.
enum class CacheScope { kOff, kUser, kShared };

struct PipelineOptions {
  std::size_t most_body = std::size_t{32} << 20;       ///< of a request
  std::size_t most_answer = std::size_t{64} << 20;     ///< of an answer that isn't streamed
  std::chrono::milliseconds first_comment{15'000};     ///< silence before the first keep-alive comment
  std::chrono::milliseconds comment_interval{15'000};  ///< and between further ones
  bool passthrough_errors = true;                      ///< an upstream's refusal keeps its status; else 502
  bool cors = false;                                   ///< browsers of any origin may call
  CacheScope cache_scope = CacheScope::kOff;
  std::vector<std::string> passthrough;  ///< paths that pass as they are; a trailing '*' stands for any rest
  std::int64_t output_guess = 1024;      ///< tokens reserved for the answer when a request names no maximum
};

class UpstreamCall;

/// The calls of a worker that have not ended. On its thread.
struct CallsUnderWay {
  std::set<UpstreamCall*> calls;

  /// Ends them all with errors their clients can read. Soon; not when this returns.
  void cut();
};

struct Services {
  Authenticator& authenticator;
  RateLimiter& rate_limiter;
  Reserver& reserver;
  RedisClient* redis;  ///< null: none is configured
  UsageSink& usage;
  UpstreamSet& upstreams;
  ConnectionPool& connections;
  ProxyMetrics& metrics;
  Log& log;
  const Clock& clock;
  PipelineOptions options;
  AnswerStore* cache = nullptr;  ///< null: answers are not kept
  CallsUnderWay calls{};
};

}  // namespace sentinel::proxy
