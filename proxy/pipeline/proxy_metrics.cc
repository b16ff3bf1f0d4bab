// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/proxy_metrics.h"

namespace sentinel::proxy {
namespace {

const std::vector<double> kSeconds{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300};
const std::vector<double> kTokens{-1000, -100, -10, -1, 1, 10, 100, 1000, 10'000};
const std::vector<double> kPercent{-75, -50, -25, -10, 10, 25, 50, 75, 100, 200};

}  // namespace

ProxyMetrics::ProxyMetrics(Metrics& registry)
    : requests(registry.counter("sentinel_requests_total", "Requests to an upstream", {"status", "model"})),
      duration(registry.histogram("sentinel_request_duration_seconds", "From the request's head to the answer's end",
                                  {"model"}, kSeconds)),
      first_byte(registry.histogram("sentinel_time_to_first_byte_seconds",
                                    "From the request's head to the upstream's head", {"model"}, kSeconds)),
      responses(registry.counter("sentinel_responses_total", "Answers to clients", {"endpoint", "code"})),
      refusals(registry.counter("sentinel_refusals_total", "Requests the proxy itself refused or failed",
                                {"endpoint", "reason"})),
      tokens(registry.counter("sentinel_tokens_processed_total", "Tokens used", {"type", "model"})),
      estimation_difference(registry.histogram("sentinel_token_estimation_diff",
                                               "Prompt tokens as the upstream counted, minus the estimate", {"model"},
                                               kTokens)),
      estimation_difference_percent(registry.histogram("sentinel_token_estimation_diff_pct",
                                                       "The same in percent of the estimate", {"model"}, kPercent)),
      parse_errors(
          registry.counter("sentinel_sse_parse_errors_total", "Stream events that are no JSON", {"endpoint", "model"})),
      estimated(
          registry.counter("sentinel_token_estimation_fallback_total", "Streams that ended without usage", {"model"})),
      disconnects(
          registry.counter("sentinel_client_disconnects_total", "Clients that left before the end", {"endpoint"})),
      slow_clients(registry.counter("sentinel_slow_clients_cut_total", "Clients cut while they took their answers",
                                    {"endpoint"})),
      upstream_errors(
          registry.counter("sentinel_upstream_errors_total", "Attempts that failed", {"upstream", "reason"})),
      keep_alives(registry.counter("sentinel_keep_alive_comments_total", "Comments sent into silent streams")),
      cache_operations(registry.counter("sentinel_cache_operations_total", "Uses of caches", {"operation", "result"})),
      connections(registry.gauge("sentinel_active_connections", "Connections of clients")),
      active(registry.gauge("sentinel_active_requests", "Requests under way")) {}

}  // namespace sentinel::proxy
