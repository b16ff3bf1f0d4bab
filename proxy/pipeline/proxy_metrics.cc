// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/proxy_metrics.h"

namespace sentinel::proxy {
namespace {

const std::vector<double> kSeconds{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300};

}  // namespace

ProxyMetrics::ProxyMetrics(Metrics& registry)
    : requests(registry.counter("sentinel_requests_total", "Requests to an upstream", {"status", "model"})),
      duration(registry.histogram("sentinel_request_duration_seconds", "From the request's head to the answer's end",
                                  {"model"}, kSeconds)),
      first_byte(registry.histogram("sentinel_time_to_first_byte_seconds",
                                    "From the request's head to the upstream's head", {"model"}, kSeconds)),
      responses(registry.counter("sentinel_responses_total", "Answers to clients", {"endpoint", "code"})),
      tokens(registry.counter("sentinel_tokens_processed_total", "Tokens used", {"type", "model"})),
      parse_errors(
          registry.counter("sentinel_sse_parse_errors_total", "Stream events that are no JSON", {"endpoint", "model"})),
      estimated(
          registry.counter("sentinel_token_estimation_fallback_total", "Streams that ended without usage", {"model"})),
      disconnects(
          registry.counter("sentinel_client_disconnects_total", "Clients that left before the end", {"endpoint"})),
      upstream_errors(
          registry.counter("sentinel_upstream_errors_total", "Attempts that failed", {"upstream", "reason"})),
      keep_alives(registry.counter("sentinel_keep_alive_comments_total", "Comments sent into silent streams")),
      active(registry.gauge("sentinel_active_requests", "Requests under way")) {}

}  // namespace sentinel::proxy
