// SPDX-License-Identifier: Apache-2.0
// The metrics of the request path, by name. Any thread.
#pragma once

#include "proxy/observe/metrics.h"

namespace sentinel::proxy {

struct ProxyMetrics {
  explicit ProxyMetrics(Metrics& registry);

  Family<Counter>& requests;                         ///< status = success, streaming, error; model
  Family<Histogram>& duration;                       ///< model; to the end of the answer
  Family<Histogram>& first_byte;                     ///< model; to the first byte of the upstream's answer
  Family<Counter>& responses;                        ///< endpoint, code: every answer, refusals included
  Family<Counter>& refusals;                         ///< endpoint, reason: the codes of the proxy's own error bodies
  Family<Counter>& tokens;                           ///< type = prompt, completion; model
  Family<Histogram>& estimation_difference;          ///< model: real minus estimated prompt tokens
  Family<Histogram>& estimation_difference_percent;  ///< model: the same in percent of the estimate
  Family<Counter>& parse_errors;                     ///< endpoint, model: stream events that are no JSON
  Family<Counter>& estimated;                        ///< model: streams that ended without usage
  Family<Counter>& disconnects;                      ///< endpoint: clients that left before the end
  Family<Counter>& slow_clients;                     ///< endpoint: cut, since they took their answers too slowly
  Family<Counter>& upstream_errors;                  ///< upstream, reason
  Family<Counter>& keep_alives;                      ///< comments sent
  Family<Counter>& cache_operations;                 ///< operation = get, store; result = hit, miss, done
  Family<Gauge>& connections;                        ///< of clients, idle ones too
  Family<Gauge>& active;                             ///< requests under way
};

}  // namespace sentinel::proxy
