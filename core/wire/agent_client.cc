// SPDX-License-Identifier: Apache-2.0
// Answers arrive in order; events may come at any time while following. Timeouts are of silence, not of the whole.
#include "core/wire/agent_client.h"

#include <fmt/format.h>

namespace sentinel {
namespace {

using std::chrono::milliseconds;

// Planning observes the whole host; a slow disk and a cold dpkg status need seconds, never minutes.
constexpr milliseconds kPlanTimeout{120'000};
constexpr milliseconds kAnswerTimeout{30'000};
constexpr milliseconds kIdleTick{100};

// The host may wait for its lease before it plans.
milliseconds limit_of(const Request& request) {
  return kPlanTimeout + std::chrono::seconds(request.lease_wait_seconds);
}

std::string first_of(const std::string& text) {
  constexpr std::size_t kShown = 400;
  std::string shown = text.substr(0, kShown);
  while (!shown.empty() && (shown.back() == '\n' || shown.back() == '\r')) shown.pop_back();
  return shown;
}

}  // namespace

Result<Frame> AgentClient::next_frame(milliseconds timeout) {
  for (;;) {
    SENTINEL_TRY(auto frame, reader_.next());
    if (frame) return std::move(*frame);
    std::string bytes;
    SENTINEL_TRY(const bool open, channel_.read(bytes, timeout));
    if (!open) {
      const std::string said = first_of(channel_.diagnostics());
      return Error("wire.closed", said.empty() ? std::string("the agent has closed the connection")
                                               : fmt::format("the host ended the conversation: {}", said),
                   "", ExitCode::kUnreachable);
    }
    reader_.feed(bytes);
  }
}

Result<Frame> AgentClient::expect_answer(milliseconds timeout) {
  SENTINEL_TRY(auto frame, next_frame(timeout));
  if (frame.type == FrameType::kFailed) return decode_failure(frame.payload);
  return frame;
}

Result<Plan> AgentClient::await_plan(const std::string& question, const Contents& contents, milliseconds limit) {
  SENTINEL_CHECK(channel_.write(question));
  SENTINEL_TRY(auto frame, expect_answer(limit));
  if (frame.type == FrameType::kNeed) {
    SENTINEL_TRY(const auto need, decode_message<Need>(frame.payload));
    std::string bytes;
    for (const auto& reference : need.contents) {
      const auto found = contents.find(reference.digest);
      if (found == contents.end()) {
        return Error("wire.unknown-content", fmt::format("the agent asks for content {}, which is not part of this plan",
                                                         reference.digest.substr(0, 12)));
      }
      bytes += encode_content(reference, found->second);
    }
    SENTINEL_CHECK(channel_.write(bytes + question));
    SENTINEL_TRY(frame, expect_answer(limit));
  }
  if (frame.type != FrameType::kPlan) return Error("wire.malformed", "the agent answered a plan request with something else");
  return decode_message<Plan>(frame.payload);
}

Result<Plan> AgentClient::plan(const Request& request, const SecretValues& secrets, const Contents& contents) {
  if (!secrets.empty()) SENTINEL_CHECK(channel_.write(encode_secrets(secrets)));
  return await_plan(encode_message(FrameType::kRequest, request), contents, limit_of(request));
}

Result<Plan> AgentClient::plan_generation(const RestoreGeneration& restore) {
  return await_plan(encode_message(FrameType::kGeneration, restore), {}, limit_of(restore.request));
}

Result<Event> AgentClient::begin(const Begin& begin, const OnEvent& on_event, const OnIdle& on_idle) {
  offset_ = 0;
  SENTINEL_CHECK(channel_.write(encode_message(FrameType::kBegin, begin)));
  return follow(on_event, on_idle);
}

Result<Event> AgentClient::attach(const Attach& attach, const OnEvent& on_event, const OnIdle& on_idle) {
  offset_ = attach.offset;
  SENTINEL_CHECK(channel_.write(encode_message(FrameType::kAttach, attach)));
  return follow(on_event, on_idle);
}

Result<Event> AgentClient::follow(const OnEvent& on_event, const OnIdle& on_idle) {
  event_text_.clear();
  for (;;) {
    auto frame = next_frame(kIdleTick);
    if (!frame.ok()) {
      if (frame.error().code != "channel.timeout") return std::move(frame).error();
      if (on_idle) on_idle();
      continue;
    }
    if (frame->type == FrameType::kFailed) return decode_failure(frame->payload);
    if (frame->type == FrameType::kAccepted) continue;
    if (frame->type == FrameType::kEnd) return Error("wire.closed", "the transaction's log ended without a result");
    if (frame->type != FrameType::kEvents) return Error("wire.malformed", "an unexpected frame came between events");
    event_text_ += frame->payload;
    for (auto end = event_text_.find('\n'); end != std::string::npos; end = event_text_.find('\n')) {
      const std::string line = event_text_.substr(0, end);
      event_text_.erase(0, end + 1);
      offset_ += end + 1;
      SENTINEL_TRY(const auto event, decode_message<Event>(line));
      const bool go_on = !on_event || on_event(event);
      if (event.type == Event::Type::kResult || !go_on) return event;
    }
  }
}

Result<void> AgentClient::request_abort(const std::string& transaction) {
  return channel_.write(encode_message(FrameType::kAbort, TransactionName{transaction}));
}

Result<void> AgentClient::request_extension(const std::string& transaction, std::uint32_t seconds) {
  return channel_.write(encode_message(FrameType::kExtend, Extend{transaction, seconds}));
}

Result<void> AgentClient::confirm(const std::string& transaction) {
  SENTINEL_CHECK(channel_.write(encode_message(FrameType::kConfirm, TransactionName{transaction})));
  SENTINEL_TRY(const auto frame, expect_answer(kAnswerTimeout));
  if (frame.type != FrameType::kAccepted) return Error("wire.malformed", "the agent answered a confirmation with something else");
  return {};
}

Result<nlohmann::json> AgentClient::ask(const Ask& ask) {
  SENTINEL_CHECK(channel_.write(encode_message(FrameType::kAsk, ask)));
  SENTINEL_TRY(const auto frame, expect_answer(kPlanTimeout));
  if (frame.type != FrameType::kAnswer) return Error("wire.malformed", "the agent answered a question with something else");
  return parse_json(frame.payload);
}

Result<HostRecord> AgentClient::audit(const AuditRequest& request) {
  SENTINEL_CHECK(channel_.write(encode_message(FrameType::kAudit, request)));
  SENTINEL_TRY(const auto frame, expect_answer(kPlanTimeout));
  if (frame.type != FrameType::kRecord) return Error("wire.malformed", "the agent answered an audit with something else");
  return decode_message<HostRecord>(frame.payload);
}

Result<void> AgentClient::read_logs(const ReadLogs& wish, const std::function<void(const std::string&)>& on_text) {
  SENTINEL_CHECK(channel_.write(encode_message(FrameType::kReadLogs, wish)));
  for (;;) {
    auto frame = next_frame(wish.follow ? kIdleTick : kPlanTimeout);
    // Nothing may be said for long where a log is followed.
    if (!frame.ok() && wish.follow && frame.error().code == "channel.timeout") continue;
    if (!frame.ok()) return std::move(frame).error();
    if (frame->type == FrameType::kEnd) return {};
    if (frame->type == FrameType::kFailed) return decode_failure(frame->payload);
    if (frame->type != FrameType::kLogs) return Error("wire.malformed", "an unexpected frame came within a log");
    on_text(frame->payload);
  }
}

}  // namespace sentinel
