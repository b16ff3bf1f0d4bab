// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/request_context.h"

#include "proxy/pipeline/error_body.h"

namespace sentinel::proxy {

Task<bool> RequestContext::answer(int status, std::string body, std::string more_fields) {
  const std::string lines = "Content-Type: application/json\r\n" + fields + more_fields;
  const bool sent = co_await exchange.respond(status, lines, body);
  if (!sent) client_gone = true;
  co_return sent;
}

Task<bool> RequestContext::refuse(int status, std::string_view code, std::string message, std::string more_fields) {
  error_code = code;
  const bool sent = co_await answer(status, error_body(code, message), std::move(more_fields));
  co_return sent;
}

Task<bool> RequestContext::read_body(Buffer& body) {
  const BodyOutcome read = co_await exchange.read_body(body, services.options.most_body);
  switch (read) {
    case BodyOutcome::kComplete: co_return true;
    case BodyOutcome::kGone:
      client_gone = true;
      exchange.abort();
      co_return false;
    case BodyOutcome::kTooLarge:
      exchange.close_after();
      co_await refuse(413, "PAYLOAD_TOO_LARGE", "Request body too large");
      co_return false;
    case BodyOutcome::kTimeout:
      exchange.close_after();
      co_await refuse(408, "REQUEST_TIMEOUT", "The request body did not arrive in time");
      co_return false;
    case BodyOutcome::kBad:
      exchange.close_after();
      co_await refuse(400, "BAD_REQUEST", "Invalid request body: its chunks are not well-formed");
      co_return false;
  }
  co_return false;
}

}  // namespace sentinel::proxy
