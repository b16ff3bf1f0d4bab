// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/health.h"

#include <fmt/format.h>

#include "proxy/json/cursor.h"

namespace sentinel::proxy {

Task<std::string> RedisHealthCheck::check() {
  if (!redis_->ready()) co_return "not connected";
  RedisCommand command{"PING"};
  const std::optional<RedisReply> reply = co_await redis_->ask(std::move(command));
  if (!reply) co_return "no answer";
  co_return reply->is(RedisReply::Kind::kError) ? "refused" : "";
}

Task<void> HealthHandler::handle(RequestContext& context) {
  bool well = question_ == Question::kLive || !state_.draining;
  std::string checks;
  if (question_ != Question::kLive) {
    for (HealthCheck* check : checks_) {
      const auto begun = std::chrono::steady_clock::now();
      const std::string wrong = co_await check->check();
      const std::chrono::duration<double, std::milli> latency = std::chrono::steady_clock::now() - begun;
      well = well && wrong.empty();
      checks.append(fmt::format(R"({}"{}":{{"status":"{}","latency_ms":{:.3f}{}}})", checks.empty() ? "" : ",",
                                check->name(), wrong.empty() ? "healthy" : "unhealthy", latency.count(),
                                wrong.empty() ? "" : R"(,"error":)" + json_quoted(wrong)));
    }
  }
  const std::string_view status = well ? "healthy" : "unhealthy";
  std::string body = fmt::format(R"({{"status":"{}"}})", status);
  if (question_ == Question::kWhole) {
    const auto uptime =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - state_.started).count();
    body = fmt::format(
        R"({{"status":"{}","version":"{}","uptime_seconds":{},"timestamp":"{}","checks":{{{}}},"stats":{{"uptime_seconds":{}}}}})",
        status, SENTINEL_VERSION, uptime, to_rfc3339(context.services.clock.now()), checks, uptime);
  }
  co_await context.answer(well ? 200 : 503, std::move(body));
}

Task<void> MetricsHandler::handle(RequestContext& context) {
  const std::string body = metrics_.render();
  const std::string fields = "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n" + context.fields;
  co_await context.exchange.respond(200, fields, body);
}

}  // namespace sentinel::proxy
