// SPDX-License-Identifier: Apache-2.0
// Before the first byte to the client everything is still open: status, retry, another upstream. The first keep-alive
// comment spends the status, because it has to bring one with it.
#include "proxy/pipeline/generation_call.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/json/text_size.h"
#include "proxy/pipeline/error_body.h"
#include "proxy/pipeline/upstream_error.h"

namespace sentinel::proxy {
namespace {

/// Whether an answer has what its endpoint's clients can't do without.
bool has_answer(const AnswerFacts& facts, AnswerMember member) {
  switch (member) {
    case AnswerMember::kChoices: return facts.has_choices;
    case AnswerMember::kId: return facts.has_id;
    case AnswerMember::kData: return facts.has_data;
  }
  return false;
}

}  // namespace

GenerationCall::GenerationCall(RequestContext& context, const GenerationShape& shape, Question question,
                               std::unique_ptr<AttemptSequence> attempts, std::optional<CacheKey> cache_key)
    : UpstreamCall(context),
      shape_(shape),
      asked_(new Asked{std::move(question), std::move(attempts)}),
      choices_(asked_->question.request.choices),
      estimated_input_(asked_->question.request.estimated_input()),
      asked_for_usage_(context.streamed && shape.ask_for_usage && !asked_->question.request.include_usage),
      cache_key_(std::move(cache_key)) {}

Task<void> GenerationCall::run() {
  const bool streams = co_await open_stream();
  if (streams) {
    const RelayEnd end = co_await relay();
    co_await end_stream(end);
  }
  settle();
  keep_connection();
}

Task<bool> GenerationCall::open_stream() {
  if (context_.streamed) watch_silence();
  const ClientStatus status = co_await open(*asked_->attempts);
  if (status != ClientStatus::kDone) {
    co_await fail(status);
    co_return false;
  }
  if (head_.status >= 300) {
    co_await answer_upstream_error();
    co_return false;
  }
  answering_ = true;
  if (is_encoded(head_)) {
    drop_connection();
    co_await answer_is_wrong(502, "UPSTREAM_ERROR", "The upstream encoded its answer, though nobody asked for it");
    co_return false;
  }
  const std::optional<std::string_view> type = head_.headers.find("content-type");
  const bool events = type && type->starts_with("text/event-stream");
  asked_.reset();
  if (!events || !context_.streamed) {
    co_await answer_whole();
    co_return false;
  }
  begin_stream();
  forget_head();
  co_return true;
}

OutgoingRequest GenerationCall::outgoing(const UpstreamTarget& target) {
  const auto& [request, body] = asked_->question;
  Splices& splices = asked_->splices;
  splices = {};
  if (asked_for_usage_) splice_include_usage(request, splices);
  if (!target.model.empty() && target.model != request.model) splice_model(request, target.model, splices);
  return {"POST", std::string(shape_.upstream_path), "application/json", splices.pieces(body.view()),
          splices.size(body.view())};
}

void GenerationCall::begin_stream() {
  if (context_.exchange.begun()) return;
  context_.exchange.begin(200, std::string(kStreamFields) + context_.fields);
  context_.fields.clear();
  context_.fields.shrink_to_fit();
}

Task<bool> GenerationCall::break_silence() {
  if (!context_.streamed) co_return true;
  // Within an event a comment would break it; its rest is on the way, or the stream is broken anyway.
  const bool between = strips() || events_.at_boundary();
  if (!between || events_.oversized()) co_return true;
  begin_stream();
  context_.exchange.write(kKeepAliveComment);
  services_.metrics.keep_alives.with({}).add();
  const bool heard = co_await send();
  co_return heard;
}

SeenEvent GenerationCall::look_at(const SseEvent& event) {
  const SeenEvent all{{event.raw, {}}};
  // The rest of a line end goes with the event it ended.
  if (event.tail) return stripped_last_ ? SeenEvent{} : all;
  stripped_last_ = false;
  if (event.data.empty()) return all;
  if (event.data == "[DONE]") {
    ended_ = true;
    return all;
  }
  const AnswerFacts facts = read_answer(event.data);
  if (!facts.valid) {
    services_.metrics.parse_errors.with({context_.endpoint, context_.model}).add();
    return all;
  }
  if (facts.usage) context_.usage = facts.usage;
  if (facts.has_error) broken_ = true;
  finished_ += facts.finished;
  ended_ = ended_ || facts.ends_stream;
  text_bytes_ += facts.text_bytes;
  if (!strips()) return all;
  const SeenEvent seen = without_usage(event, facts);
  stripped_last_ = seen.pieces[0].empty();
  return seen;
}

void GenerationCall::pass_on(std::string_view bytes) {
  keep(bytes);
  const std::vector<SseEvent>& events = events_.feed(bytes);
  if (!strips()) context_.exchange.write(bytes);
  for (const SseEvent& event : events) {
    const SeenEvent seen = look_at(event);
    if (strips()) write(seen);
  }
}

void GenerationCall::pass_rest() {
  // A last event may lack its blank line; it is read like any other.
  const std::optional<SseEvent> last = events_.finish_last();
  if (!last) return;
  const SeenEvent seen = look_at(*last);
  inside_event_ = !seen.pieces[0].empty();
  if (strips()) write(seen);
}

void GenerationCall::write(const SeenEvent& seen) {
  for (const std::string_view piece : seen.pieces) context_.exchange.write(piece);
}

Task<void> GenerationCall::end_stream(RelayEnd end) {
  switch (end) {
    case RelayEnd::kWhole: {
      // A proper end of the transfer is none of the answer: upstreams whose model died end so too.
      if (!complete() && head_.framing == BodyFraming::kUntilClose) {
        co_await end_with_error("connection_closed", "The upstream broke the stream off");
        co_return;
      }
      if (!complete()) {
        co_await end_with_error("stream_truncated", "The upstream ended the stream before its answer was complete");
        co_return;
      }
      store();
      settle();
      const bool heard = co_await context_.exchange.end();
      if (!heard) context_.client_gone = true;
      co_return;
    }
    case RelayEnd::kBroken:
      co_await end_with_error("connection_closed", "The upstream broke the stream off");
      co_return;
    case RelayEnd::kSilent: co_await end_with_error("upstream_timeout", "The upstream fell silent"); co_return;
    case RelayEnd::kCut: co_await end_with_error("shutting_down", "The proxy is shutting down"); co_return;
    case RelayEnd::kGone: break;
  }
  context_.client_gone = true;
  drop_connection();
  context_.exchange.abort();
}

bool GenerationCall::complete() const {
  // An error is told already; what was never looked at can't be judged.
  if (ended_ || broken_ || events_.oversized()) return true;
  if (shape_.answer == AnswerMember::kId) return context_.usage.has_value();
  return finished_ >= choices_;
}

Task<void> GenerationCall::end_with_error(std::string_view code, std::string_view message) {
  context_.error_code = code;
  cut_off_ = true;
  drop_connection();
  // What was sent of a broken event is ended first, so that the error is an event of its own.
  const bool inside = inside_event_ || (!strips() && !events_.at_boundary());
  const std::string event = (inside || events_.oversized() ? "\n\n" : "") + error_event(code, message);
  begin_stream();
  settle();
  context_.exchange.write(event);
  const bool heard = co_await context_.exchange.end();
  if (!heard) context_.client_gone = true;
}

Task<void> GenerationCall::answer_whole() {
  Buffer answer;
  const bool whole = co_await read_whole(answer, services_.options.most_answer);
  if (!whole) {
    drop_connection();
    co_await fail(context_.client_gone ? ClientStatus::kCancelled : ClientStatus::kClosed);
    co_return;
  }
  const AnswerFacts facts = read_answer(answer.view());
  if (!facts.valid) {
    co_await answer_is_wrong(502, "UPSTREAM_ERROR", "Failed to parse response: not a JSON object");
    co_return;
  }
  if (!has_answer(facts, shape_.answer)) {
    co_await answer_is_wrong(500, "INTERNAL_ERROR", "Internal server error");
    co_return;
  }
  context_.usage = facts.usage;
  text_bytes_ = facts.text_bytes;
  if (context_.exchange.begun()) {
    co_await end_with_error("not_a_stream", "The upstream did not stream its answer");
    co_return;
  }
  keep(answer.view());
  broken_ = broken_ || facts.has_error || context_.streamed;
  store();
  settle();
  const std::string fields = "Content-Type: application/json\r\n" + context_.fields;
  const bool heard = co_await context_.exchange.respond(200, fields, answer.view());
  if (!heard) context_.client_gone = true;
}

Task<void> GenerationCall::answer_is_wrong(int status, std::string_view code, std::string message) {
  answering_ = false;
  if (context_.exchange.begun()) {
    co_await end_with_error("parse_error", message);
    co_return;
  }
  settle();
  co_await context_.refuse(status, code, std::move(message));
}

Task<void> GenerationCall::answer_upstream_error() {
  Buffer body;
  const bool whole = co_await read_whole(body, kMostErrorBody);
  if (!whole) drop_connection();
  if (context_.client_gone) {
    context_.exchange.abort();
    co_return;
  }
  UpstreamError error = upstream_error(head_, whole && !is_encoded(head_) ? body.view() : std::string_view(), *target_,
                                       services_.options.passthrough_errors);
  if (context_.exchange.begun()) {
    co_await end_with_error("upstream_error", error.message);
    co_return;
  }
  settle();
  context_.error_code = "UPSTREAM_ERROR";
  co_await context_.answer(error.status, std::move(error.body), std::move(error.fields));
}

Task<void> GenerationCall::fail(ClientStatus status) {
  if (context_.client_gone || (status == ClientStatus::kCancelled && !cut_)) {
    context_.client_gone = true;
    context_.exchange.abort();
    co_return;
  }
  if (context_.exchange.begun() && cut_) {
    co_await end_with_error("shutting_down", "The proxy is shutting down");
    co_return;
  }
  if (context_.exchange.begun()) {
    co_await end_with_error("connection_closed", "Upstream service error");
    co_return;
  }
  settle();
  co_await refuse_unanswered();
}

void GenerationCall::keep(std::string_view bytes) {
  if (!cache_key_) return;
  if (kept_.size() + bytes.size() > services_.cache->most_answer()) {
    cache_key_.reset();
    kept_ = {};
    return;
  }
  kept_.append(bytes);
}

void GenerationCall::store() {
  if (!cache_key_ || broken_ || events_.oversized() || (context_.streamed && !ended_)) return;
  services_.cache->store(*cache_key_, answer_form(context_), {std::move(kept_), context_.usage.value_or(TokenCount{})});
  services_.metrics.cache_operations.with({"store", "done"}).add();
}

void GenerationCall::settle() {
  if (std::exchange(settled_, true)) return;
  const bool left = context_.client_gone;
  // Only models that an upstream answered for become labels: clients could name any number of others.
  const std::string model = answering_ ? context_.model : "other";
  const std::string_view status = !answering_         ? "error"
                                  : cut_off_          ? "truncated"
                                  : context_.streamed ? "streaming"
                                                      : "success";
  const auto since = [&](std::chrono::steady_clock::time_point at) {
    return std::chrono::duration<double>(at - context_.begun).count();
  };
  const ProxyMetrics& metrics = services_.metrics;
  metrics.requests.with({status, model}).add();
  metrics.duration.with({model}).observe(since(std::chrono::steady_clock::now()));
  if (context_.first_byte) metrics.first_byte.with({model}).observe(since(*context_.first_byte));
  // A client that left has used what the upstream did until then.
  if (!answering_ && !(left && sent_)) {
    context_.reservation.reset();
    return;
  }
  if (context_.usage) {
    const double difference = static_cast<double>(context_.usage->input) - static_cast<double>(estimated_input_);
    metrics.estimation_difference.with({model}).observe(difference);
    const double percent = estimated_input_ == 0 ? 0 : difference * 100 / static_cast<double>(estimated_input_);
    metrics.estimation_difference_percent.with({model}).observe(percent);
  } else {
    context_.usage = TokenCount{estimated_input_, estimated_tokens(text_bytes_)};
    context_.usage_estimated = true;
    if (context_.streamed) metrics.estimated.with({model}).add();
  }
  if (!shape_.counts_output) context_.usage->output = 0;
  metrics.tokens.with({"prompt", model}).add(context_.usage->input);
  if (shape_.counts_output) metrics.tokens.with({"completion", model}).add(context_.usage->output);
  services_.usage.track({context_.identity.email, context_.model, context_.usage->input, context_.usage->output, 1,
                         services_.clock.now(), context_.usage_estimated});
  if (context_.reservation == nullptr) return;
  context_.reservation->settle(
      {static_cast<std::int64_t>(context_.usage->input), static_cast<std::int64_t>(context_.usage->output)});
}

}  // namespace sentinel::proxy
