// SPDX-License-Identifier: Apache-2.0
// "origin" is the host itself, asked under the site's name; "edge" is where the name leads, a proxy's edge or the host.
#include "cli/outside/web_probes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace sentinel {
namespace {

using nlohmann::json;

/// Headers that judgements look at; the others stay out of records.
constexpr std::array<const char*, 12> kKeptHeaders = {"server",          "x-content-type-options",
                                                      "x-frame-options", "strict-transport-security",
                                                      "referrer-policy", "alt-svc",
                                                      "cf-ray",          "cf-mitigated",
                                                      "cf-cache-status", "location",
                                                      "content-type",    "retry-after"};

std::string text(const ProbeOrder& order, const char* key, const std::string& fallback = {}) {
  const auto found = order.with.find(key);
  return found != order.with.end() && found->is_string() && !found->get<std::string>().empty()
             ? found->get<std::string>()
             : fallback;
}

json answer_json(const Result<WebReply>& reply) {
  if (!reply.ok()) return {{"error", reply.error().message}, {"code", reply.error().code}};
  auto headers = json::object();
  for (const auto* name : kKeptHeaders) {
    if (const auto found = reply->headers.find(name); found != reply->headers.end()) headers[name] = found->second;
  }
  return {{"status", reply->status},
          {"http_version", reply->http_version},
          {"headers", std::move(headers)},
          {"address", reply->remote_address},
          {"ms", reply->total_ms}};
}

WebRequest request_for(const std::string& url, const OutsideView& view) {
  WebRequest out;
  out.url = url;
  out.deadline = view.deadline;
  out.ca_file = view.ca_file;
  return out;
}

/// The same request twice: to the host, and as its name leads. The host's own certificate is looked at by outside.tls;
/// here only the answer counts, for an origin's may be of an authority that nobody but the edge trusts.
WebProbe at_both(const std::string& url, const OutsideView& view) {
  WebProbe out;
  out.requests = {request_for(url, view), request_for(url, view)};
  out.requests[0].connect_to = view.address;
  out.requests[0].verify = false;
  out.read = [](const Replies& replies) -> Result<json> {
    return json{{"origin", answer_json(replies[0])}, {"edge", answer_json(replies[1])}};
  };
  return out;
}

WebProbe cached(const std::string& url, const OutsideView& view) {
  WebProbe out;
  out.requests = {request_for(url, view), request_for(url, view)};
  out.read = [](const Replies& replies) -> Result<json> {
    auto statuses = json::array();
    for (const auto& reply : replies) {
      if (!reply.ok()) return reply.error();
      const auto found = reply->headers.find("cf-cache-status");
      statuses.push_back(found == reply->headers.end() ? "" : found->second);
    }
    return json{{"statuses", std::move(statuses)}};
  };
  return out;
}

/// What an answer of the API says of itself: never its content, which may be anybody's.
json completion_json(const WebReply& reply) {
  const auto document = json::parse(reply.body, nullptr, false);
  json out = {{"status", reply.status}, {"ms", reply.total_ms}, {"object", ""}, {"choices", 0}, {"error", ""}};
  if (!document.is_object()) return out;
  if (const auto object = document.find("object"); object != document.end() && object->is_string())
    out["object"] = *object;
  if (const auto choices = document.find("choices"); choices != document.end() && choices->is_array())
    out["choices"] = choices->size();
  if (const auto error = document.find("error"); error != document.end() && error->is_object()) {
    for (const auto* key : {"type", "code"}) {
      if (const auto found = error->find(key); found != error->end() && found->is_string()) out["error"] = *found;
    }
  }
  return out;
}

/// A request and, when it was answered, the same once more: {answers: [{status, and these headers}]}, "" for those
/// absent.
WebProbe twice(WebRequest request, std::vector<std::string> headers) {
  WebProbe out;
  out.requests = out.afterwards = {std::move(request)};
  out.read = [headers = std::move(headers)](const Replies& replies) -> Result<json> {
    auto answers = json::array();
    for (const auto& reply : replies) {
      if (!reply.ok()) return reply.error();
      json answer = {{"status", reply->status}};
      for (const auto& name : headers) {
        const auto found = reply->headers.find(name);
        answer[name] = found == reply->headers.end() ? "" : found->second;
      }
      answers.push_back(std::move(answer));
    }
    return json{{"answers", std::move(answers)}};
  };
  return out;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

json stream_json(const WebReply& reply) {
  const auto type = reply.headers.find("content-type");
  std::uint32_t longest = 0, last = 0;
  std::vector<std::uint32_t> moments;
  for (const auto at : reply.pieces_ms) {
    longest = std::max(longest, at - last);
    last = at;
    if (moments.empty() || moments.back() != at) moments.push_back(at);
  }
  return {{"status", reply.status},
          {"content_type", type == reply.headers.end() ? "" : type->second},
          {"first_ms", reply.pieces_ms.empty() ? json(nullptr) : json(reply.pieces_ms.front())},
          {"moments_ms", moments},
          {"longest_gap_ms", longest},
          {"total_ms", reply.total_ms},
          {"events", count(reply.body, "data:")},
          {"done", reply.body.find("data: [DONE]") != std::string::npos}};
}

/// A request as the user that the test key belongs to.
Result<WebRequest> as_user(const ProbeOrder& order, const std::string& url, const OutsideView& view) {
  const auto key_name = text(order, "key");
  if (key_name.empty())
    return Error("outside.no-key", "no test key is configured", "name a secret of the project in check.chat.key");
  auto request = request_for(url, view);
  SENTINEL_TRY(request.bearer, view.secret(key_name));
  return request;
}

Result<WebRequest> completion(const ProbeOrder& order, const std::string& origin, const OutsideView& view,
                              bool stream) {
  SENTINEL_TRY(auto request, as_user(order, origin + text(order, "path", "/v1/chat/completions"), view));
  request.method = "POST";
  request.headers = {{"Content-Type", "application/json"}};
  request.deadline = std::max<std::chrono::milliseconds>(view.deadline, std::chrono::seconds(60));
  const auto words = stream ? "Count from one to ten." : "Say hello.";
  request.body = json{{"model", text(order, "model", "gpt-4o-mini")},
                      {"max_tokens", kMostTestTokens},
                      {"stream", stream},
                      {"messages", {{{"role", "user"}, {"content", words}}}}}
                     .dump();
  return request;
}

Result<WebProbe> answered(const ProbeOrder& order, const std::string& origin, const OutsideView& view, bool stream) {
  WebProbe out;
  SENTINEL_TRY(auto request, completion(order, origin, view, stream));
  out.requests = {std::move(request)};
  out.read = [stream](const Replies& replies) -> Result<json> {
    if (!replies[0].ok()) return replies[0].error();
    return stream ? stream_json(*replies[0]) : completion_json(*replies[0]);
  };
  return out;
}

}  // namespace

bool is_web_probe(const std::string& probe) {
  static const std::array<const char*, 8> kNames = {"outside.https",  "outside.redirect", "outside.health",
                                                    "outside.cached", "outside.chat",     "outside.stream",
                                                    "outside.kept",   "outside.limited"};
  return std::find(kNames.begin(), kNames.end(), probe) != kNames.end();
}

Result<WebProbe> web_probe(const ProbeOrder& order, const OutsideView& view) {
  const auto name = text(order, "name");
  if (name.empty())
    return Error("outside.order", fmt::format("{} has no name to ask for", order.probe), "set the variable domain");
  const auto secure = "https://" + name;
  if (order.probe == "outside.https") return at_both(secure + text(order, "path", "/"), view);
  if (order.probe == "outside.health") return at_both(secure + text(order, "path", "/health"), view);
  if (order.probe == "outside.redirect") return at_both("http://" + name + "/", view);
  if (order.probe == "outside.cached") return cached(secure + text(order, "path", "/v1/models"), view);
  if (order.probe == "outside.kept") {
    SENTINEL_TRY(auto request, completion(order, secure, view, false));
    return twice(std::move(request), {"x-cache"});
  }
  if (order.probe == "outside.limited") {
    SENTINEL_TRY(auto request, as_user(order, secure + text(order, "path", "/v1/models"), view));
    return twice(std::move(request), {"x-ratelimit-limit", "x-ratelimit-remaining", "retry-after"});
  }
  return answered(order, secure, view, order.probe == "outside.stream");
}

}  // namespace sentinel
