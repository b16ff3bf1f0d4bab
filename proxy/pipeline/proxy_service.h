// SPDX-License-Identifier: Apache-2.0
// The order of the stages: request id, route, authentication, request limit, handler; and, however it ended, one line
// of the access log and the metrics.
#pragma once

#include <vector>

#include "proxy/pipeline/routes.h"

namespace sentinel::proxy {

class ProxyService final : public RequestHandler {
 public:
  /// Both outlive the service.
  ProxyService(Services& services, const std::vector<Route>& routes) : services_(services), routes_(routes) {}

  Task<void> serve(Exchange& exchange) override;
  std::string refusal_body(int status, std::string_view reason) override;

  void connected() override { services_.metrics.connections.with({}).add(1); }

  void disconnected() override { services_.metrics.connections.with({}).add(-1); }

 private:
  /// Request id, trace and what browsers need, for every answer of this request.
  void identify(RequestContext& context);
  /// A browser asks whether it may call; it can't authenticate yet.
  Task<void> answer_preflight(RequestContext& context);
  /// Who is to answer. Null: answered already.
  Task<Handler*> pass_stages(RequestContext& context);
  /// False: refused, and answered.
  Task<bool> admit(RequestContext& context);
  void finish(RequestContext& context);

  Services& services_;
  const std::vector<Route>& routes_;
};

}  // namespace sentinel::proxy
