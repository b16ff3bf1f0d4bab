// SPDX-License-Identifier: Apache-2.0
#include "agent/release_parts.h"

#include <fmt/format.h>

#include <utility>

#include "core/health/http_exchange.h"

namespace sentinel::agent {
namespace {

constexpr std::chrono::seconds kAdminAnswer{5};

Result<std::string> call_admin(const std::string& socket, const std::string& method, const std::string& path) {
  HttpRequest request;
  request.url = "http://release" + path;
  request.socket = socket;
  request.method = method;
  SENTINEL_TRY(auto reply, exchange_http(request, kAdminAnswer));
  if (reply.status != 200) return Error("release.admin", fmt::format("{} {}: status {}", method, path, reply.status));
  return std::move(reply.body);
}

}  // namespace

ReleaseParts::ReleaseParts(System& machine, Clock& clock, std::chrono::seconds patience, EngineCall engine)
    : clock_(clock),
      systemd_(machine, clock, call_admin),
      compose_(machine, clock, call_admin, std::move(engine), patience),
      runner_(machine),
      judge_(clock, runner_, call_admin) {}

}  // namespace sentinel::agent
