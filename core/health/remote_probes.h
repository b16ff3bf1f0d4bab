// SPDX-License-Identifier: Apache-2.0
// The probes that ask over HTTP, each as a question and a pure reading of the answer. A reading's error is why it
// failed.
#pragma once

#include <chrono>
#include <string>

#include "core/base/result.h"
#include "core/health/http_exchange.h"
#include "core/model/health.h"

namespace sentinel {

HttpRequest request_of(const HttpProbe& probe);
HttpRequest request_of(const ContainerProbe& probe);
HttpRequest request_of(const PrometheusProbe& probe);

/// @name Readings
/// What was seen ("status 200"), or error `health.unhealthy` with what was seen, `health.garbled` when it is no answer
/// to the question.
/// @{
Result<std::string> read_answer(const HttpProbe& probe, const HttpReply& reply);
/// Of `GET /containers/{name}/json` (https://docs.docker.com/reference/api/engine/).
Result<std::string> read_answer(const ContainerProbe& probe, const HttpReply& reply);
/// Of `GET /api/v1/query` (https://prometheus.io/docs/prometheus/latest/querying/api/).
Result<std::string> read_answer(const PrometheusProbe& probe, const HttpReply& reply);
/// @}

}  // namespace sentinel
