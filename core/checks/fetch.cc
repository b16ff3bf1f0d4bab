// SPDX-License-Identifier: Apache-2.0
#include "core/checks/fetch.h"

#include <fmt/format.h>

#include "core/health/http_exchange.h"
#include "core/model/json.h"

namespace sentinel {
namespace {

constexpr std::chrono::milliseconds kLimit{3000};

Result<HttpReply> fetch(const HttpRequest& request) {
  auto reply = exchange_http(request, kLimit);
  if (reply.ok()) return reply;
  const bool absent = reply.error().code == "http.connect";
  return Error(absent ? "probe.absent" : "probe.failed", fmt::format("{}: {}", request.url, reply.error().message));
}

}  // namespace

Result<std::string> fetch_text(const std::string& url, const std::string& socket) {
  HttpRequest request;
  request.url = url;
  request.socket = socket;
  SENTINEL_TRY(auto reply, fetch(request));
  if (reply.status != 200) return Error("probe.failed", fmt::format("{}: status {}", url, reply.status));
  return std::move(reply.body);
}

Result<nlohmann::json> fetch_json(const std::string& url, const std::string& socket) {
  SENTINEL_TRY(const auto text, fetch_text(url, socket));
  auto json = parse_json(text);
  if (!json.ok()) return Error("probe.failed", fmt::format("{}: {}", url, json.error().message));
  return json;
}

Result<unsigned> fetch_status(const std::string& url, const std::string& token, const std::string& socket) {
  HttpRequest request;
  request.url = url;
  request.socket = socket;
  if (!token.empty()) request.headers["authorization"] = "Bearer " + token;
  SENTINEL_TRY(const auto reply, fetch(request));
  return reply.status;
}

}  // namespace sentinel
