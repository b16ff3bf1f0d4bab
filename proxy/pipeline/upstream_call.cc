// SPDX-License-Identifier: Apache-2.0
// Before the first byte of an answer has gone to the client, another upstream may be tried; a keep-alive comment is no
// part of the answer.
#include "proxy/pipeline/upstream_call.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <random>
#include <utility>

#include "proxy/json/cursor.h"
#include "proxy/net/waiter.h"

namespace sentinel::proxy {
namespace {

// In milliseconds. Nobody looks whether the client is still there meanwhile: it has to be short.
constexpr int kLeastWait = 20;
constexpr int kMostWait = 120;

}  // namespace

std::optional<std::chrono::seconds> retry_after(const ResponseHead& head) {
  const std::optional<std::string_view> field = head.headers.find("retry-after");
  const std::optional<std::uint64_t> seconds = field ? json_unsigned(*field) : std::nullopt;
  if (!seconds || *seconds > 86'400) return std::nullopt;
  return std::chrono::seconds(*seconds);
}

bool is_encoded(const ResponseHead& head) {
  const std::optional<std::string_view> encoding = head.headers.find("content-encoding");
  return encoding && !encoding->empty() && !same_name(*encoding, "identity");
}

void CallsUnderWay::cut() {
  for (UpstreamCall* call : calls) call->cut();
}

UpstreamCall::UpstreamCall(RequestContext& context)
    : context_(context),
      services_(context.services),
      watch_(
          context.exchange.stream(),
          [](void* self) {
            auto* call = static_cast<UpstreamCall*>(self);
            call->context_.client_gone = true;
            call->wake_.cancel();
          },
          this),
      silence_(
          context.exchange.loop().deadlines(),
          [](void* self) {
            auto* call = static_cast<UpstreamCall*>(self);
            call->silent_ = true;
            call->wake_.nudge();
          },
          this) {
  services_.calls.calls.insert(this);
}

UpstreamCall::~UpstreamCall() {
  services_.calls.calls.erase(this);
}

void UpstreamCall::cut() {
  cut_ = true;
  wake_.cancel();
}

Task<bool> UpstreamCall::break_silence() {
  co_return true;
}

void UpstreamCall::pass_on(std::string_view bytes) {
  context_.exchange.write(bytes);
}

void UpstreamCall::watch_silence() {
  watches_silence_ = true;
  silence_.arm(services_.options.first_comment);
}

void UpstreamCall::keep_connection() {
  silence_.disarm();
  services_.connections.release(std::move(connection_));
}

Task<ClientStatus> UpstreamCall::open(AttemptSequence& attempts) {
  ClientStatus status = ClientStatus::kConnect;
  const UpstreamTarget* next = attempts.next();
  if (next == nullptr) resting_ = attempts.all_rest_for();
  while (next != nullptr) {
    connection_.reset();
    if (target_ != nullptr && target_->name == next->name) {
      co_await wait_a_little();
      if (wake_.cancelled()) {
        status = ClientStatus::kCancelled;
        break;
      }
    }
    target_ = std::exchange(next, nullptr);
    times_ = target_->times;
    context_.upstream = target_->name;
    status = co_await attempt(*target_);
    const bool arrived = status == ClientStatus::kDone;
    const AttemptReport report{status, arrived ? head_.status : 0, arrived ? retry_after(head_) : std::nullopt};
    const bool again = attempts.report(report);
    if (status == ClientStatus::kCancelled) break;
    if (!arrived || head_.status >= 400) {
      const std::string reason = arrived ? std::to_string(head_.status) : std::string(client_status_name(status));
      services_.metrics.upstream_errors.with({target_->name, reason}).add();
      // The last answer stays, good or bad, when there is nothing else to try.
      if (again) next = attempts.next();
    }
  }
  if (status == ClientStatus::kDone) context_.first_byte = std::chrono::steady_clock::now();
  co_return status;
}

Task<bool> UpstreamCall::refuse_unanswered() {
  if (cut_) {
    const bool told =
        co_await context_.refuse(503, "SERVICE_UNAVAILABLE", "The proxy is shutting down", "Retry-After: 1\r\n");
    co_return told;
  }
  if (!resting_) {
    const bool heard = co_await context_.refuse(502, "UPSTREAM_ERROR", "Upstream service error");
    co_return heard;
  }
  std::string later = fmt::format("Retry-After: {}\r\n", resting_->count());
  const bool heard =
      co_await context_.refuse(503, "SERVICE_UNAVAILABLE", "No upstream is available just now", std::move(later));
  co_return heard;
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
  OutgoingRequest request = outgoing(target);
  std::string head =
      fmt::format(FMT_COMPILE("{} {}{} HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nAccept-Encoding: {}\r\n"),
                  request.method, target.base.path, request.target, target.base.origin.host_field(),
                  target.authorization.reveal(), request.accept_encoding);
  head.append("X-Request-Id: ").append(context_.id).append("\r\nTraceparent: ").append(context_.trace.traceparent());
  if (!context_.trace.state.empty()) head.append("\r\nTracestate: ").append(context_.trace.state);
  if (!request.content_type.empty()) head.append("\r\nContent-Type: ").append(request.content_type);
  if (request.body_size > 0 || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    head.append("\r\nContent-Length: ").append(std::to_string(request.body_size));
  }
  head.append("\r\n\r\n");
  std::vector<std::string_view> pieces = std::move(request.body);
  pieces.insert(pieces.begin(), head);
  ClientStatus status = co_await connection_->send(std::move(pieces), target.times, wake_);
  if (status != ClientStatus::kDone) co_return status;
  sent_ = true;
  for (;;) {
    // Silence may have fallen while the connection was made.
    const bool heard = co_await look_at_silence();
    if (!heard) co_return ClientStatus::kCancelled;
    status = co_await connection_->read_head(request.method, head_, target.times, wake_);
    if (status != ClientStatus::kWoken) co_return status;
  }
}

Task<void> UpstreamCall::wait_a_little() {
  // Not all at once: what one upstream's trouble has broken off is many requests.
  static thread_local std::minstd_rand random{std::random_device{}()};
  const std::chrono::milliseconds wait(std::uniform_int_distribution<int>(kLeastWait, kMostWait)(random));
  co_await pause_for(context_.exchange.loop(), wait);
}

Task<bool> UpstreamCall::look_at_silence() {
  if (!std::exchange(silent_, false)) co_return true;
  silence_.arm(services_.options.comment_interval);
  const bool heard = co_await break_silence();
  co_return heard;
}

Task<bool> UpstreamCall::send() {
  const IoStatus sent = context_.exchange.send_now();
  bool heard = sent == IoStatus::kDone;
  if (sent == IoStatus::kAgain) heard = co_await context_.exchange.flush();
  note_sent(heard);
  co_return heard;
}

void UpstreamCall::note_sent(bool heard) {
  if (!heard) context_.client_gone = true;
  if (!watches_silence_) return;
  // However long the client took: it has just been sent something.
  silent_ = false;
  silence_.arm(services_.options.comment_interval);
}

void UpstreamCall::forget_head() {
  head_.headers = HeaderFields();
  connection_->forget_head();
}

Task<UpstreamCall::RelayEnd> UpstreamCall::relay() {
  for (;;) {
    const BodyPiece piece = connection_->read_body();
    if (!piece.bytes.empty()) pass_on(piece.bytes);
    if (piece.last) {
      pass_rest();
      co_return RelayEnd::kWhole;
    }
    if (!piece.bytes.empty()) {
      // As send() does, without a task of its own for what nearly always goes at once.
      const IoStatus sent = context_.exchange.send_now();
      bool heard = sent == IoStatus::kDone;
      if (sent == IoStatus::kAgain) heard = co_await context_.exchange.flush();
      note_sent(heard);
      if (!heard) co_return RelayEnd::kGone;
    }
    if (piece.status != ClientStatus::kDone) co_return RelayEnd::kBroken;
    if (cut_) co_return RelayEnd::kCut;
    if (!piece.waits) continue;
    if (silent_) {
      const bool heard = co_await look_at_silence();
      if (!heard) co_return RelayEnd::kGone;
    }
    const ClientStatus waited = co_await connection_->wait_body(times_, wake_);
    if (waited == ClientStatus::kCancelled) co_return cut_ ? RelayEnd::kCut : RelayEnd::kGone;
    if (waited != ClientStatus::kDone && waited != ClientStatus::kWoken) co_return RelayEnd::kSilent;
  }
}

Task<bool> UpstreamCall::read_whole(Buffer& answer, std::size_t most) {
  for (;;) {
    const BodyPiece piece = connection_->read_body();
    answer.append(piece.bytes);
    if (piece.status != ClientStatus::kDone || answer.size() > most) co_return false;
    if (piece.last) co_return true;
    if (!piece.waits) continue;
    const bool heard = co_await look_at_silence();
    if (!heard) co_return false;
    const ClientStatus waited = co_await connection_->wait_body(times_, wake_);
    if (waited != ClientStatus::kDone && waited != ClientStatus::kWoken) co_return false;
  }
}

}  // namespace sentinel::proxy
