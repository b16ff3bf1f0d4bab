// SPDX-License-Identifier: Apache-2.0
// What a request is served with: one set per worker, built by operation/worker. Every part is used on that worker's
// thread only, but for those whose contract says otherwise.
#pragma once

#include <chrono>
#include <cstddef>

#include "core/base/clock.h"
#include "proxy/auth/authenticator.h"
#include "proxy/limits/rate_limiter.h"
#include "proxy/net/http_client.h"
#include "proxy/observe/log.h"
#include "proxy/pipeline/proxy_metrics.h"
#include "proxy/upstreams/upstream_set.h"
#include "proxy/usage/usage_sink.h"

namespace sentinel::proxy {

struct PipelineOptions {
  std::size_t most_body = std::size_t{32} << 20;       ///< of a request
  std::size_t most_answer = std::size_t{64} << 20;     ///< of an answer that isn't streamed
  std::chrono::milliseconds first_comment{15'000};     ///< silence before the first keep-alive comment
  std::chrono::milliseconds comment_interval{15'000};  ///< and between further ones
};

struct Services {
  Authenticator& authenticator;
  RateLimiter& rate_limiter;
  UsageSink& usage;
  UpstreamSet& upstreams;
  ConnectionPool& connections;
  ProxyMetrics& metrics;
  Log& log;
  const Clock& clock;
  PipelineOptions options;
};

}  // namespace sentinel::proxy
