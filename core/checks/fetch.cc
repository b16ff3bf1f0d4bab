// SPDX-License-Identifier: Apache-2.0
#include "core/checks/fetch.h"

#include <fmt/format.h>

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

Error refused(const HttpRequest& request, const HttpReply& reply) {
  return Error("probe.failed", fmt::format("{}: status {}", request.url, reply.status));
}

Result<nlohmann::json> json_of(const HttpRequest& request, const HttpReply& reply) {
  if (reply.status != 200) return refused(request, reply);
  auto json = parse_json(reply.body);
  if (!json.ok()) return Error("probe.failed", fmt::format("{}: {}", request.url, json.error().message));
  return json;
}

}  // namespace

Result<nlohmann::json> fetch_json(const HttpRequest& request) {
  SENTINEL_TRY(const auto reply, fetch(request));
  return json_of(request, reply);
}

Result<nlohmann::json> fetch_json(const std::string& url, const std::string& socket) {
  return fetch_json(request_with({}, url, socket));
}

Result<std::optional<nlohmann::json>> find_json(const std::string& url, const std::string& socket) {
  const auto request = request_with({}, url, socket);
  SENTINEL_TRY(const auto reply, fetch(request));
  if (reply.status == 404) return std::optional<nlohmann::json>();
  SENTINEL_TRY(auto json, json_of(request, reply));
  return std::optional(std::move(json));
}

Result<std::string> fetch_text(const std::string& url) {
  const auto request = request_with({}, url);
  SENTINEL_TRY(auto reply, fetch(request));
  if (reply.status != 200) return refused(request, reply);
  return std::move(reply.body);
}

Result<unsigned> fetch_status(const HttpRequest& request) {
  SENTINEL_TRY(const auto reply, fetch(request));
  return reply.status;
}

HttpRequest request_with(const std::string& token, const std::string& url, const std::string& socket) {
  HttpRequest request;
  request.url = url;
  request.socket = socket;
  if (!token.empty()) request.headers["authorization"] = "Bearer " + token;
  return request;
}

}  // namespace sentinel
