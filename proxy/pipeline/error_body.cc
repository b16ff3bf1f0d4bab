// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/error_body.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "proxy/json/cursor.h"

namespace sentinel::proxy {

std::string error_body(std::string_view code, std::string_view message) {
  return fmt::format(R"({{"error":{{"code":"{}","message":{}}}}})", code, json_quoted(message));
}

std::string rate_limit_body(const RateVerdict& verdict) {
  const std::string reset =
      fmt::format("{:%Y-%m-%dT%H:%M:%S}+00:00", fmt::gmtime(static_cast<std::time_t>(verdict.reset_at)));
  return fmt::format(R"({{"error":{{"code":"RATE_LIMIT_EXCEEDED","message":"Too many requests. Please slow down.",)"
                     R"("details":{{"limit":{},"used":{},"remaining":{},"reset_at":"{}"}}}}}})",
                     verdict.limit, verdict.used, verdict.remaining(), reset);
}

std::string unknown_endpoint_body(std::string_view method, std::string_view path) {
  const std::string message =
      fmt::format("Endpoint {} {} not found. API endpoints are under /v1/ and /native/", method, path);
  return fmt::format(R"({{"error":{{"message":{},"type":"not_found_error","code":"endpoint_not_found"}}}})",
                     json_quoted(message));
}

std::string error_event(std::string_view code, std::string_view message) {
  return fmt::format("data: {{\"error\":{{\"message\":{},\"type\":\"stream_error\",\"code\":\"{}\"}}}}\n\n",
                     json_quoted(message), code);
}

}  // namespace sentinel::proxy
