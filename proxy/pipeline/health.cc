// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/health.h"

#include <fmt/format.h>

namespace sentinel::proxy {

Task<void> HealthHandler::handle(RequestContext& context) {
  const bool ready = question_ == Question::kLive || !state_.draining;
  const std::string_view status = ready ? "healthy" : "unhealthy";
  std::string body = fmt::format(R"({{"status":"{}"}})", status);
  if (question_ == Question::kWhole) {
    const auto uptime =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - state_.started).count();
    body = fmt::format(
        R"({{"status":"{}","version":"{}","uptime_seconds":{},"timestamp":"{}","checks":{{}},"stats":{{"uptime_seconds":{}}}}})",
        status, SENTINEL_VERSION, uptime, to_rfc3339(context.services.clock.now()), uptime);
  }
  co_await context.answer(ready ? 200 : 503, std::move(body));
}

Task<void> MetricsHandler::handle(RequestContext& context) {
  const std::string body = metrics_.render();
  const std::string fields = "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n" + context.fields;
  co_await context.exchange.respond(200, fields, body);
}

}  // namespace sentinel::proxy
