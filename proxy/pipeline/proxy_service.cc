// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/proxy_service.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include "proxy/json/cursor.h"
#include "proxy/observe/request_id.h"
#include "proxy/pipeline/error_body.h"

namespace sentinel::proxy {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kCorsFields =
    "Access-Control-Allow-Origin: *\r\nVary: Origin\r\nAccess-Control-Expose-Headers: X-Request-Id, X-RateLimit-Limit, "
    "X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, X-Cache\r\n";

/// "12.345"
std::string milliseconds_text(std::chrono::steady_clock::duration time) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  return fmt::format(FMT_COMPILE("{}.{:03}"), microseconds / 1000, microseconds % 1000);
}

}  // namespace

Task<void> ProxyService::serve(Exchange& exchange) {
  RequestContext context(exchange, services_);
  identify(context);
  Gauge& active = services_.metrics.active.with({});
  active.add(1);
  Handler* const handler = co_await pass_stages(context);
  if (handler != nullptr) co_await handler->handle(context);
  active.add(-1);
  finish(context);
}

void ProxyService::identify(RequestContext& context) {
  const HeaderFields& headers = context.exchange.head().headers;
  context.id = request_id(headers.find("x-request-id"));
  context.trace = trace_context(headers.find("traceparent"), headers.find("tracestate"));
  context.fields.append("X-Request-Id: ").append(context.id).append("\r\n");
  if (services_.options.cors && headers.find("origin")) context.fields.append(kCorsFields);
}

Task<void> ProxyService::answer_preflight(RequestContext& context) {
  context.endpoint = "preflight";
  const HeaderFields& headers = context.exchange.head().headers;
  std::string fields = context.fields;
  fields.append(
      "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, DELETE\r\nAccess-Control-Max-Age: 86400\r\n");
  // Named one by one, because '*' does not cover Authorization.
  const std::optional<std::string_view> asked = headers.find("access-control-request-headers");
  if (asked) fields.append("Access-Control-Allow-Headers: ").append(*asked).append("\r\n");
  const bool heard = co_await context.exchange.respond(204, fields, "");
  if (!heard) context.client_gone = true;
}

Task<Handler*> ProxyService::pass_stages(RequestContext& context) {
  const RequestHead& head = context.exchange.head();
  if (services_.options.cors && head.method == "OPTIONS" && head.headers.find("origin") &&
      head.headers.find("access-control-request-method")) {
    co_await answer_preflight(context);
    co_return nullptr;
  }
  const RouteMatch match = find_route(routes_, head.method, head.path);
  if (match.route == nullptr && match.allow.empty()) {
    context.error_code = "endpoint_not_found";
    co_await context.answer(404, unknown_endpoint_body(head.method, head.path));
    co_return nullptr;
  }
  if (match.route != nullptr) context.endpoint = match.route->endpoint;
  if (match.access == Access::kUsers) {
    const bool admitted = co_await admit(context);
    if (!admitted) co_return nullptr;
  }
  if (match.route == nullptr) {
    const std::string allow = "Allow: " + match.allow + "\r\n" + context.fields;
    co_await context.exchange.respond(405, allow, "");
    co_return nullptr;
  }
  co_return match.route->handler;
}

Task<bool> ProxyService::admit(RequestContext& context) {
  const std::optional<std::string_view> authorization = context.exchange.head().headers.find("authorization");
  if (!authorization) {
    co_await context.refuse(401, "UNAUTHORIZED", "Authentication required");
    co_return false;
  }
  if (!authorization->starts_with(kBearer)) {
    co_await context.refuse(401, "INVALID_TOKEN", "Invalid authentication token");
    co_return false;
  }
  const AuthOutcome outcome = co_await services_.authenticator.authenticate(authorization->substr(kBearer.size()));
  if (const auto* refusal = std::get_if<AuthRefusal>(&outcome)) {
    co_await context.refuse(refusal->status, refusal->code, refusal->message);
    co_return false;
  }
  context.identity = std::get<Identity>(outcome);

  const RateVerdict verdict = co_await services_.rate_limiter.admit(context.identity);
  context.fields.append(
      fmt::format(FMT_COMPILE("X-RateLimit-Limit: {}\r\nX-RateLimit-Remaining: {}\r\nX-RateLimit-Reset: {}\r\n"),
                  verdict.limit, verdict.remaining(), verdict.reset_at));
  if (verdict.allowed) co_return true;
  context.error_code = "RATE_LIMIT_EXCEEDED";
  co_await context.answer(429, rate_limit_body(verdict), fmt::format("Retry-After: {}\r\n", verdict.retry_after()));
  co_return false;
}

std::string ProxyService::refusal_body(int status, std::string_view reason) {
  services_.metrics.responses.with({"unknown", std::to_string(status)}).add();
  return error_body("BAD_REQUEST", reason);
}

void ProxyService::finish(RequestContext& context) {
  const auto end = std::chrono::steady_clock::now();
  // 499: the client left before the answer had ended, as other proxies write it.
  const int status = context.client_gone ? 499 : context.exchange.status();
  services_.metrics.responses.with({context.endpoint, std::to_string(status)}).add();
  if (!context.error_code.empty()) {
    services_.metrics.refusals.with({context.endpoint, context.error_code}).add();
  }
  if (context.client_gone) services_.metrics.disconnects.with({context.endpoint}).add();
  if (context.exchange.too_slow()) {
    context.error_code = "client_too_slow";
    services_.metrics.slow_clients.with({context.endpoint}).add();
  }

  const RequestHead& head = context.exchange.head();
  std::string fields = fmt::format(
      FMT_COMPILE(
          R"("request_id":"{}","method":{},"path":{},"endpoint":"{}","status":{},"duration_ms":{},"bytes_out":{})"),
      context.id, json_quoted(head.method), json_quoted(head.path), context.endpoint, status,
      milliseconds_text(end - context.begun), context.exchange.bytes_sent());
  if (context.first_byte) {
    fields.append(R"(,"first_byte_ms":)").append(milliseconds_text(*context.first_byte - context.begun));
  }
  if (!context.identity.id.empty()) fields.append(R"(,"user":)").append(json_quoted(context.identity.id));
  if (!context.model.empty()) fields.append(R"(,"model":)").append(json_quoted(context.model));
  if (!context.upstream.empty()) fields.append(R"(,"upstream":)").append(json_quoted(context.upstream));
  if (context.streamed) fields.append(R"(,"streamed":true)");
  if (context.cached) fields.append(R"(,"cached":true)");
  fields.append(R"(,"trace_id":")")
      .append(context.trace.trace_id)
      .append(R"(","span_id":")")
      .append(context.trace.span_id);
  fields.push_back('"');
  if (!context.error_code.empty()) fields.append(R"(,"error":)").append(json_quoted(context.error_code));
  if (context.usage) {
    fields.append(fmt::format(FMT_COMPILE(R"(,"input_tokens":{},"output_tokens":{},"estimated":{})"),
                              context.usage->input, context.usage->output, context.usage_estimated));
  }
  services_.log.event("info", "request", fields);
}

}  // namespace sentinel::proxy
