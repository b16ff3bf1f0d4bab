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

}  // namespace sentinel::proxy
