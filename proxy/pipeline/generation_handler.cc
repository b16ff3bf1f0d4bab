// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/generation_handler.h"

#include <fmt/format.h>

#include "proxy/pipeline/upstream_call.h"

namespace sentinel::proxy {

Task<void> GenerationHandler::handle(RequestContext& context) {
  Services& services = context.services;
  Buffer body;
  const BodyOutcome read = co_await context.exchange.read_body(body, services.options.most_body);
  if (read == BodyOutcome::kGone) {
    context.client_gone = true;
    context.exchange.abort();
    co_return;
  }
  if (read != BodyOutcome::kComplete) {
    context.exchange.close_after();
    if (read == BodyOutcome::kTooLarge) {
      co_await context.refuse(413, "PAYLOAD_TOO_LARGE", "Request body too large");
    } else if (read == BodyOutcome::kTimeout) {
      co_await context.refuse(408, "REQUEST_TIMEOUT", "The request body did not arrive in time");
    } else {
      co_await context.refuse(400, "BAD_REQUEST", "Invalid request body: its chunks are not well-formed");
    }
    co_return;
  }
  GenerationRequestResult parsed = read_generation_request(body.view(), shape_.required);
  if (!parsed.request) {
    co_await context.refuse(400, "BAD_REQUEST", "Invalid request body: " + parsed.problem);
    co_return;
  }
  GenerationRequest& request = *parsed.request;
  context.model = request.model;
  context.streamed = request.stream && shape_.may_stream;
  const std::unique_ptr<AttemptSequence> attempts = services.upstreams.attempts(request.model);
  if (attempts == nullptr) {
    co_await context.refuse(404, "NOT_FOUND", fmt::format("Model '{}' not found", request.model));
    co_return;
  }
  UpstreamCall call(context, shape_, request, body.view());
  co_await call.run(*attempts);
}

}  // namespace sentinel::proxy
