// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/passthrough_handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proxy/json/cursor.h"
#include "proxy/net/sse_reader.h"
#include "proxy/pipeline/error_body.h"
#include "proxy/pipeline/percent.h"
#include "proxy/pipeline/upstream_call.h"

namespace sentinel::proxy {
namespace {

constexpr std::string_view kPrefix = "/v1";

// Fields that belong to the connection, fields the proxy writes itself, and fields about the account behind it.
constexpr std::array<std::string_view, 20> kNotPassed{"connection",
                                                      "keep-alive",
                                                      "proxy-authenticate",
                                                      "proxy-authorization",
                                                      "proxy-connection",
                                                      "proxy-status",
                                                      "te",
                                                      "trailer",
                                                      "transfer-encoding",
                                                      "upgrade",
                                                      "content-length",
                                                      "x-request-id",
                                                      "access-control-allow-origin",
                                                      "access-control-expose-headers",
                                                      "set-cookie",
                                                      "alt-svc",
                                                      "strict-transport-security",
                                                      "openai-organization",
                                                      "openai-project",
                                                      "www-authenticate"};

// TRACE would show the proxy's own credential to the client.
constexpr std::array<std::string_view, 6> kMethods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

bool is_passed(const HeaderField& field, const HeaderFields& all) {
  for (const std::string_view name : kNotPassed) {
    if (same_name(field.name, name)) return false;
  }
  return !all.has_word("connection", field.name);
}

class PassthroughCall final : public UpstreamCall {
 public:
  PassthroughCall(RequestContext& context, std::string_view body) : UpstreamCall(context), body_(body) {}

  Task<void> run(AttemptSequence& attempts) {
    const ClientStatus status = co_await open(attempts);
    account(status);
    if (context_.client_gone) {
      context_.exchange.abort();
      co_return;
    }
    if (status != ClientStatus::kDone) {
      co_await refuse_unanswered();
      co_return;
    }
    std::optional<std::uint64_t> length;
    if (head_.framing == BodyFraming::kLength) length = head_.content_length;
    if (head_.framing == BodyFraming::kNone) length = bodiless_length();
    context_.exchange.begin(head_.status, answer_fields(), length);
    const std::optional<std::string_view> type = head_.headers.find("content-type");
    is_events_ = type && type->starts_with("text/event-stream") && !length && !is_encoded(head_);
    if (is_events_) watch_silence();
    const RelayEnd end = co_await relay();
    std::string last_words;
    if (end == RelayEnd::kCut && is_events_) {
      drop_connection();
      context_.error_code = "shutting_down";
      const bool between = events_.at_boundary() && !events_.oversized();
      last_words = (between ? "" : "\n\n") + error_event(context_.error_code, "The proxy is shutting down");
    } else if (end != RelayEnd::kWhole) {
      // Broken off, so that nobody takes it for whole.
      context_.client_gone = context_.client_gone || end == RelayEnd::kGone;
      if (!context_.client_gone) context_.error_code = "connection_closed";
      drop_connection();
      context_.exchange.abort();
      co_return;
    }
    context_.exchange.write(last_words);
    const bool heard = co_await context_.exchange.end();
    if (!heard) context_.client_gone = true;
    keep_connection();
  }

 private:
  Task<bool> break_silence() override {
    if (!is_events_ || !events_.at_boundary() || events_.oversized()) co_return true;
    context_.exchange.write(kKeepAliveComment);
    services_.metrics.keep_alives.with({}).add();
    const bool heard = co_await send();
    co_return heard;
  }

  void pass_on(std::string_view bytes) override {
    if (is_events_) events_.feed(bytes);
    context_.exchange.write(bytes);
  }

  OutgoingRequest outgoing(const UpstreamTarget&) override {
    const RequestHead& head = context_.exchange.head();
    OutgoingRequest request;
    request.method = head.method;
    request.target = head.target.substr(kPrefix.size());
    request.accept_encoding = head.headers.find("accept-encoding").value_or("identity");
    if (!body_.empty()) {
      request.content_type = head.headers.find("content-type").value_or("application/json");
      request.body = {body_};
      request.body_size = body_.size();
    }
    return request;
  }

  /// Of an answer without a body; a HEAD's tells how long it would be.
  std::uint64_t bodiless_length() const {
    const std::optional<std::string_view> told = head_.headers.find("content-length");
    return told ? json_unsigned(*told).value_or(0) : 0;
  }

  std::string answer_fields() const {
    std::string fields;
    for (const HeaderField& field : head_.headers.fields) {
      if (is_passed(field, head_.headers)) {
        fields.append(field.name).append(": ").append(field.value).append("\r\n");
      }
    }
    return fields.append(context_.fields);
  }

  void account(ClientStatus status) {
    if (!sent_ && context_.client_gone) return;
    const bool good = status == ClientStatus::kDone && head_.status < 300;
    services_.metrics.requests.with({good ? "success" : "error", "other"}).add();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - context_.begun;
    services_.metrics.duration.with({"other"}).observe(seconds.count());
    services_.usage.track({context_.identity.email, {}, 0, 0, 1, services_.clock.now(), false});
  }

  std::string_view body_;
  bool is_events_ = false;  ///< a stream into which comments may go
  SseReader events_;        ///< only to know where events end
};

}  // namespace

Task<void> PassthroughHandler::handle(RequestContext& context) {
  const RequestHead& head = context.exchange.head();
  if (!is_plain_path(head.path)) {
    co_await context.refuse(400, "BAD_REQUEST", "The path is ambiguous");
    co_return;
  }
  if (std::find(kMethods.begin(), kMethods.end(), head.method) == kMethods.end()) {
    const std::string allow = "Allow: GET, HEAD, POST, PUT, PATCH, DELETE\r\n" + context.fields;
    co_await context.exchange.respond(405, allow, "");
    co_return;
  }
  const std::unique_ptr<AttemptSequence> attempts =
      is_listed(context.services.options.passthrough, head.path) ? context.services.upstreams.attempts({}) : nullptr;
  if (attempts == nullptr) {
    co_await context.refuse(404, "NOT_FOUND", fmt::format("Endpoint {} {} is not offered", head.method, head.path));
    co_return;
  }
  Buffer body;
  const bool complete = co_await context.read_body(body);
  if (!complete) co_return;
  // What a GET says in a body has no meaning anywhere.
  const bool bodiless = head.method == "GET" || head.method == "HEAD";
  PassthroughCall call(context, bodiless ? std::string_view() : body.view());
  co_await call.run(*attempts);
}

}  // namespace sentinel::proxy
