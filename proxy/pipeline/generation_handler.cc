// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/generation_handler.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/pipeline/error_body.h"
#include "proxy/pipeline/generation_call.h"
#include "proxy/pipeline/hidden_usage.h"

namespace sentinel::proxy {
namespace {

TokenNeed need_of(const GenerationRequest& request, const PipelineOptions& options) {
  // Anybody may write any number: what no model could answer counts as a lot, not as an overflow.
  constexpr std::uint64_t kMost = 1'000'000'000;
  const std::uint64_t output =
      std::min(kMost, request.max_tokens.value_or(static_cast<std::uint64_t>(options.output_guess)));
  const std::uint64_t choices = std::clamp<std::uint64_t>(request.choices, 1, 1000);
  return {static_cast<std::int64_t>(request.estimated_input()), static_cast<std::int64_t>(output * choices)};
}

/// Nothing was used but a request.
Task<void> answer_from_cache(RequestContext& context, bool hides_usage, std::shared_ptr<const CachedAnswer> answer) {
  Services& services = context.services;
  context.cached = true;
  context.usage = TokenCount{};
  services.metrics.requests.with({context.streamed ? "streaming" : "success", context.model}).add();
  services.usage.track({context.identity.email, context.model, 0, 0, 1, services.clock.now(), false});
  const std::string cached = "X-Cache: hit\r\n" + context.fields;
  if (!context.streamed) {
    const std::string fields = "Content-Type: application/json\r\n" + cached;
    const bool heard = co_await context.exchange.respond(200, fields, answer->body);
    if (!heard) context.client_gone = true;
    co_return;
  }
  context.exchange.begin(200, std::string(kStreamFields) + cached);
  std::string events;
  if (hides_usage) events = stream_without_usage(answer->body);
  context.exchange.write(hides_usage ? events : answer->body);
  const bool heard = co_await context.exchange.end();
  if (!heard) context.client_gone = true;
}

}  // namespace

std::optional<CacheKey> GenerationHandler::key_of(const RequestContext& context, std::string_view body) const {
  const Services& services = context.services;
  if (services.cache == nullptr || services.options.cache_scope == CacheScope::kOff) return {};
  const HeaderFields& headers = context.exchange.head().headers;
  if (headers.has_word("cache-control", "no-store") || headers.has_word("cache-control", "no-cache")) return {};
  CacheQuestion question;
  if (services.options.cache_scope == CacheScope::kUser) {
    if (context.identity.id.empty()) return {};
    question.user = context.identity.id;
  }
  question.endpoint = context.endpoint;
  question.body = body;
  question.names_state = shape_.names_state;
  return cache_key(question);
}

Task<void> GenerationHandler::handle(RequestContext& context) {
  // Nothing of the preparations is kept while a stream lasts.
  const std::unique_ptr<GenerationCall> call = co_await prepare(context);
  if (call != nullptr) co_await call->run();
}

Task<std::unique_ptr<GenerationCall>> GenerationHandler::prepare(RequestContext& context) {
  Services& services = context.services;
  Buffer body;
  const bool complete = co_await context.read_body(body);
  if (!complete) co_return nullptr;
  GenerationRequestResult parsed = read_generation_request(body.view(), shape_.required);
  if (!parsed.request) {
    co_await context.refuse(400, "BAD_REQUEST", "Invalid request body: " + parsed.problem);
    co_return nullptr;
  }
  GenerationRequest& request = *parsed.request;
  context.model = request.model;
  context.streamed = request.stream && shape_.may_stream;
  std::unique_ptr<AttemptSequence> attempts = services.upstreams.attempts(request.model);
  if (attempts == nullptr) {
    co_await context.refuse(404, "NOT_FOUND", fmt::format("Model '{}' not found", request.model));
    co_return nullptr;
  }
  std::optional<CacheKey> key = key_of(context, body.view());
  if (key) {
    std::shared_ptr<const CachedAnswer> kept = co_await services.cache->find(*key, answer_form(context));
    services.metrics.cache_operations.with({"get", kept == nullptr ? "miss" : "hit"}).add();
    if (kept != nullptr) {
      co_await answer_from_cache(context, shape_.ask_for_usage && !request.include_usage, std::move(kept));
      co_return nullptr;
    }
    context.fields.append("X-Cache: miss\r\n");
  }
  ReserveOutcome reserved = co_await services.reserver.reserve(context.identity, need_of(request, services.options));
  if (const auto* refusal = std::get_if<LimitRefusal>(&reserved)) {
    context.error_code = limit_code(*refusal);
    const std::int64_t later = std::max<std::int64_t>(1, refusal->reset_at - refusal->now);
    co_await context.answer(429, limit_body(*refusal), fmt::format("Retry-After: {}\r\n", later));
    co_return nullptr;
  }
  context.reservation = std::get<std::unique_ptr<Reservation>>(std::move(reserved));
  co_return std::make_unique<GenerationCall>(context, shape_,
                                             GenerationCall::Question{std::move(request), std::move(body)},
                                             std::move(attempts), std::move(key));
}

}  // namespace sentinel::proxy
