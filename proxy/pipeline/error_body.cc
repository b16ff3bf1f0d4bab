// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/error_body.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "proxy/json/cursor.h"

namespace sentinel::proxy {
namespace {

std::string moment(std::int64_t seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}+00:00", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

}  // namespace

std::string error_body(std::string_view code, std::string_view message) {
  return fmt::format(R"({{"error":{{"code":"{}","message":{}}}}})", code, json_quoted(message));
}

std::string rate_limit_body(const RateVerdict& verdict) {
  return fmt::format(R"({{"error":{{"code":"RATE_LIMIT_EXCEEDED","message":"Too many requests. Please slow down.",)"
                     R"("details":{{"limit":{},"used":{},"remaining":{},"reset_at":"{}"}}}}}})",
                     verdict.limit, verdict.used, verdict.remaining(), moment(verdict.reset_at));
}

std::string_view limit_code(const LimitRefusal& refusal) {
  const bool slower =
      refusal.which == LimitRefusal::Limit::kTokens || refusal.which == LimitRefusal::Limit::kConcurrency;
  return slower ? "RATE_LIMIT_EXCEEDED" : "QUOTA_EXCEEDED";
}

std::string limit_body(const LimitRefusal& refusal) {
  std::string_view message;
  switch (refusal.which) {
    case LimitRefusal::Limit::kTokens: message = "Too many tokens. Please slow down."; break;
    case LimitRefusal::Limit::kConcurrency: message = "Too many requests at once."; break;
    case LimitRefusal::Limit::kBudget: message = "The token budget is used up."; break;
    case LimitRefusal::Limit::kQuota: message = "The quota of the subscription is used up."; break;
  }
  const std::string reset = refusal.reset_at == 0 ? "" : fmt::format(R"(,"reset_at":"{}")", moment(refusal.reset_at));
  return fmt::format(R"({{"error":{{"code":"{}","message":"{}","details":{{"limit":{},"used":{}{}}}}}}})",
                     limit_code(refusal), message, refusal.limit, refusal.used, reset);
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
