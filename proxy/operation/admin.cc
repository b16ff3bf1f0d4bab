// SPDX-License-Identifier: Apache-2.0
#include "proxy/operation/admin.h"

namespace sentinel::proxy {

Task<void> AdminHandler::handle(RequestContext& context) {
  const std::string_view path = context.exchange.head().path;
  int status = 200;
  if (path == "/admin/accept" && !commands_->accept()) status = 409;
  if (path == "/admin/hold" && !commands_->hold()) status = 409;
  if (path == "/admin/drain") commands_->drain();
  co_await context.answer(status, commands_->state());
}

}  // namespace sentinel::proxy
