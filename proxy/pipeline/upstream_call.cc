// SPDX-License-Identifier: Apache-2.0
// Before the first byte to the client everything is still open: status, retry, another upstream. The first keep-alive
// comment spends that, because it has to bring a status with it.
#include "proxy/pipeline/upstream_call.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/net/status_text.h"
#include "proxy/pipeline/error_body.h"

namespace sentinel::proxy {
namespace {

constexpr std::string_view kStreamFields =
    "Content-Type: text/event-stream\r\nCache-Control: no-cache\r\nX-Accel-Buffering: no\r\n";
constexpr std::string_view kComment = ": keep-alive\n\n";
constexpr std::size_t kMostErrorBody = std::size_t{64} << 10;
/// A rough count where the upstream doesn't say: English text has about four bytes to a token.
constexpr std::size_t kBytesPerToken = 4;

std::optional<std::chrono::seconds> retry_after(const ResponseHead& head) {
  const std::optional<std::string_view> field = head.headers.find("retry-after");
  const std::optional<std::uint64_t> seconds = field ? json_unsigned(*field) : std::nullopt;
  if (!seconds) return std::nullopt;
  return std::chrono::seconds(*seconds);
}

}  // namespace

UpstreamCall::UpstreamCall(RequestContext& context, const GenerationShape& shape, const GenerationRequest& request,
                           std::string_view body)
    : context_(context),
      services_(context.services),
      shape_(shape),
      request_(request),
      body_(body),
      silence_(
          context.exchange.loop().deadlines(),
          [](void* self) {
            auto* call = static_cast<UpstreamCall*>(self);
            call->silent_ = true;
            call->wake_.nudge();
          },
          this),
      asked_for_usage_(context.streamed && shape.ask_for_usage && !request.include_usage) {}

void UpstreamCall::client_left() {
  context_.client_gone = true;
  wake_.cancel();
}

Task<void> UpstreamCall::run(AttemptSequence& attempts) {
  const PeerWatch watch(
      context_.exchange.stream(), [](void* self) { static_cast<UpstreamCall*>(self)->client_left(); }, this);
  if (context_.streamed) silence_.arm(services_.options.first_comment);
  ClientStatus status = ClientStatus::kConnect;
  while ((target_ = attempts.next()) != nullptr) {
    context_.upstream = target_->name;
    status = co_await attempt(*target_);
    const bool arrived = status == ClientStatus::kDone;
    AttemptReport report{status, arrived ? head_.status : 0, arrived ? retry_after(head_) : std::nullopt};
    const bool again = attempts.report(report);
    if (status == ClientStatus::kCancelled) break;
    const bool good = arrived && head_.status < 400;
    if (!good) {
      const std::string reason = arrived ? std::to_string(head_.status) : std::string(client_status_name(status));
      services_.metrics.upstream_errors.with({target_->name, reason}).add();
    }
    if (good || !again || context_.exchange.begun()) break;
  }
  if (status != ClientStatus::kDone) {
    co_await fail(status);
  } else if (head_.status >= 300) {
    co_await answer_upstream_error();
  } else {
    context_.first_byte = std::chrono::steady_clock::now();
    answering_ = true;
    const std::optional<std::string_view> type = head_.headers.find("content-type");
    const bool events = type && type->starts_with("text/event-stream");
    if (events && context_.streamed) {
      co_await answer_stream();
    } else {
      co_await answer_whole();
    }
  }
  silence_.disarm();
  services_.connections.release(std::move(connection_));
  settle();
}

Task<ClientStatus> UpstreamCall::attempt(const UpstreamTarget& target) {
  // A kept connection may have been closed by its peer just now: then, and only before any byte of an answer, once
  // more.
  bool only_new = false;
  for (;;) {
    Connected connected = co_await services_.connections.acquire(target.base.origin, target.times, wake_, only_new);
    if (connected.status != ClientStatus::kDone) co_return connected.status;
    connection_ = std::move(connected.connection);
    const ClientStatus status = co_await send_and_wait(target);
    const bool stale = status == ClientStatus::kClosed && connection_->reused() && !connection_->answered();
    if (status != ClientStatus::kDone) connection_.reset();
    if (!stale || std::exchange(only_new, true)) co_return status;
  }
}

Task<ClientStatus> UpstreamCall::send_and_wait(const UpstreamTarget& target) {
  Splices splices;
  if (asked_for_usage_) splice_include_usage(request_, splices);
  if (!target.model.empty() && target.model != request_.model) splice_model(request_, target.model, splices);
  const std::string head = fmt::format(
      "POST {}{} HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Type: application/json\r\nAccept-Encoding: "
      "identity\r\n"
      "X-Request-Id: {}\r\nContent-Length: {}\r\n\r\n",
      target.base.path, shape_.upstream_path, target.base.origin.host_field(), target.authorization.reveal(),
      context_.id, splices.size(body_));
  std::vector<std::string_view> pieces = splices.pieces(body_);
  pieces.insert(pieces.begin(), head);
  ClientStatus status = co_await connection_->send(std::move(pieces), target.times, wake_);
  if (status != ClientStatus::kDone) co_return status;
  sent_ = true;
  for (;;) {
    status = co_await connection_->read_head("POST", head_, target.times, wake_);
    if (status != ClientStatus::kWoken) co_return status;
    if (!silent_) continue;
    const bool heard = co_await comment();
    if (!heard) co_return ClientStatus::kCancelled;
  }
}

void UpstreamCall::begin_stream() {
  if (context_.exchange.begun()) return;
  context_.exchange.begin(200, std::string(kStreamFields) + context_.fields);
}

Task<bool> UpstreamCall::send() {
  const IoStatus sent = context_.exchange.send_now();
  bool heard = sent == IoStatus::kDone;
  if (sent == IoStatus::kAgain) heard = co_await context_.exchange.flush();
  if (!heard) context_.client_gone = true;
  co_return heard;
}

Task<bool> UpstreamCall::comment() {
  silent_ = false;
  silence_.arm(services_.options.comment_interval);
  // Within an event a comment would break it; its rest is on the way, or the stream is broken anyway.
  const bool between = strips() || events_.at_boundary();
  if (!between || events_.oversized()) co_return true;
  begin_stream();
  context_.exchange.write(kComment);
  services_.metrics.keep_alives.with({}).add();
  const bool heard = co_await send();
  co_return heard;
}

bool UpstreamCall::look_at(const SseEvent& event) {
  if (event.data.empty()) return true;
  if (event.data == "[DONE]") {
    done_seen_ = true;
    return true;
  }
  const AnswerFacts facts = read_answer(event.data);
  if (!facts.valid) {
    services_.metrics.parse_errors.with({std::string(context_.endpoint), context_.model}).add();
    return true;
  }
  if (facts.usage) context_.usage = facts.usage;
  text_bytes_ += facts.text_bytes;
  return !(asked_for_usage_ && facts.usage && facts.has_choices && facts.choices_empty);
}

void UpstreamCall::forward(std::string_view bytes) {
  const std::vector<SseEvent>& events = events_.feed(bytes);
  if (!strips()) context_.exchange.write(bytes);
  for (const SseEvent& event : events) {
    const bool keep = look_at(event);
    if (strips() && keep) context_.exchange.write(event.raw);
  }
}

Task<void> UpstreamCall::answer_stream() {
  begin_stream();
  for (;;) {
    const BodyPiece piece = connection_->read_body();
    if (!piece.bytes.empty()) forward(piece.bytes);
    if (piece.last && strips()) context_.exchange.write(events_.take_incomplete());
    if (!piece.bytes.empty() || piece.last) {
      const bool heard = co_await send();
      if (!heard) break;
      silence_.arm(services_.options.comment_interval);
    }
    if (piece.status != ClientStatus::kDone) {
      co_await end_with_error("connection_closed", "The upstream broke the stream off");
      co_return;
    }
    if (piece.last) {
      // Without framing, only [DONE] tells an end from a break.
      if (head_.framing == BodyFraming::kUntilClose && !done_seen_) {
        co_await end_with_error("connection_closed", "The upstream broke the stream off");
        co_return;
      }
      co_await context_.exchange.end();
      co_return;
    }
    if (!piece.waits) continue;
    const ClientStatus waited = co_await connection_->wait_body(target_->times, wake_);
    if (waited == ClientStatus::kWoken && silent_) {
      const bool heard = co_await comment();
      if (!heard) break;
    } else if (waited == ClientStatus::kCancelled) {
      break;
    } else if (waited != ClientStatus::kDone && waited != ClientStatus::kWoken) {
      co_await end_with_error("upstream_timeout", "The upstream fell silent");
      co_return;
    }
  }
  context_.client_gone = true;
  connection_.reset();
  context_.exchange.abort();
}

Task<void> UpstreamCall::end_with_error(std::string_view code, std::string_view message) {
  context_.error_code = code;
  connection_.reset();
  // What was sent of a broken event is ended first, so that the error is an event of its own.
  const bool inside = !strips() && !events_.at_boundary();
  const std::string event = (inside ? "\n\n" : "") + error_event(code, message);
  begin_stream();
  context_.exchange.write(event);
  const bool heard = co_await send();
  if (heard) co_await context_.exchange.end();
}

Task<bool> UpstreamCall::read_whole(Buffer& answer, std::size_t most) {
  for (;;) {
    const BodyPiece piece = connection_->read_body();
    answer.append(piece.bytes);
    if (piece.status != ClientStatus::kDone || answer.size() > most) co_return false;
    if (piece.last) co_return true;
    if (!piece.waits) continue;
    const ClientStatus waited = co_await connection_->wait_body(target_->times, wake_);
    if (waited == ClientStatus::kWoken) {
      if (!silent_) continue;
      const bool heard = co_await comment();
      if (!heard) co_return false;
    } else if (waited != ClientStatus::kDone) {
      co_return false;
    }
  }
}

Task<void> UpstreamCall::answer_whole() {
  Buffer answer;
  const bool whole = co_await read_whole(answer, services_.options.most_answer);
  if (!whole) {
    connection_.reset();
    co_await fail(context_.client_gone ? ClientStatus::kCancelled : ClientStatus::kClosed);
    co_return;
  }
  const AnswerFacts facts = read_answer(answer.view());
  if (!facts.valid) {
    answering_ = false;
    context_.error_code = "UPSTREAM_ERROR";
    if (context_.exchange.begun()) {
      co_await end_with_error("parse_error", "Failed to parse response");
    } else {
      co_await context_.refuse(502, "UPSTREAM_ERROR", "Failed to parse response: not a JSON object");
    }
    co_return;
  }
  context_.usage = facts.usage;
  text_bytes_ = facts.text_bytes;
  if (context_.exchange.begun()) {
    co_await end_with_error("not_a_stream", "The upstream did not stream its answer");
    co_return;
  }
  const std::string fields = "Content-Type: application/json\r\n" + context_.fields;
  const bool heard = co_await context_.exchange.respond(200, fields, answer.view());
  if (!heard) context_.client_gone = true;
}

Task<void> UpstreamCall::answer_upstream_error() {
  Buffer unused;
  // Read, so that the connection can be kept; not shown, because it may name the proxy's own account.
  const bool whole = co_await read_whole(unused, kMostErrorBody);
  if (!whole) connection_.reset();
  if (context_.client_gone) {
    context_.exchange.abort();
    co_return;
  }
  std::string message = fmt::format("OpenAI error {} {}", head_.status, status_text(head_.status));
  if (context_.exchange.begun()) {
    co_await end_with_error("upstream_error", message);
    co_return;
  }
  const std::optional<std::chrono::seconds> later = retry_after(head_);
  co_await context_.refuse(502, "UPSTREAM_ERROR", std::move(message),
                           later ? fmt::format("Retry-After: {}\r\n", later->count()) : "");
}

Task<void> UpstreamCall::fail(ClientStatus status) {
  if (status == ClientStatus::kCancelled || context_.client_gone) {
    context_.client_gone = true;
    context_.exchange.abort();
    co_return;
  }
  context_.error_code = "UPSTREAM_ERROR";
  if (context_.exchange.begun()) {
    co_await end_with_error("connection_closed", "Upstream service error");
    co_return;
  }
  co_await context_.refuse(502, "UPSTREAM_ERROR", "Upstream service error");
}

void UpstreamCall::settle() {
  const bool left = context_.client_gone;
  // Only models that an upstream answered for become labels: clients could name any number of others.
  const std::string model = answering_ ? context_.model : "other";
  const std::string_view status = !answering_ ? "error" : context_.streamed ? "streaming" : "success";
  const auto since = [&](std::chrono::steady_clock::time_point at) {
    return std::chrono::duration<double>(at - context_.begun).count();
  };
  services_.metrics.requests.with({std::string(status), model}).add();
  services_.metrics.duration.with({model}).observe(since(std::chrono::steady_clock::now()));
  if (context_.first_byte) services_.metrics.first_byte.with({model}).observe(since(*context_.first_byte));
  // A client that left has used what the upstream did until then.
  if (!answering_ && !(left && sent_)) return;
  if (!context_.usage) {
    context_.usage =
        TokenCount{request_.prompt_bytes / kBytesPerToken, (text_bytes_ + kBytesPerToken - 1) / kBytesPerToken};
    context_.usage_estimated = true;
    services_.metrics.estimated.with({model}).add();
  }
  services_.metrics.tokens.with({"prompt", model}).add(context_.usage->input);
  services_.metrics.tokens.with({"completion", model}).add(context_.usage->output);
  services_.usage.track({context_.identity.email, context_.model, context_.usage->input, context_.usage->output, 1,
                         services_.clock.now(), context_.usage_estimated});
}

}  // namespace sentinel::proxy
