// SPDX-License-Identifier: Apache-2.0
// Questions and their answers. A failed question is answered and the conversation goes on; a broken frame ends it.
#include "agent/conversation.h"

#include <errno.h>
#include <fmt/format.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <utility>

#include "agent/application_log.h"
#include "agent/begin_transaction.h"
#include "agent/installation.h"
#include "agent/local_view.h"
#include "core/checks/examine.h"
#include "core/engine/lease.h"
#include "core/facts/collect.h"
#include "core/release/release_plan.h"
#include "core/resources/survey.h"

namespace sentinel::agent {
namespace {

// Successors are a few MB; this only keeps a hostile announcement from filling the memory.
constexpr std::uint64_t kMaxSuccessor = 64U << 20;
constexpr std::size_t kMaxLogFrame = 1U << 20;
constexpr int kLeaseLook = 100;  // ms
constexpr int kLogLook = 500;  // ms between two looks at a log that is followed

}  // namespace

Conversation::Conversation(Peer& peer, LocalSystem& machine, Clock& clock)
    : peer_(peer), machine_(machine), clock_(clock), host_(machine) {}

Result<void> Conversation::run() {
  SENTINEL_CHECK(say_hello());
  for (;;) {
    for (;;) {
      auto frame = peer_.next();
      if (!frame.ok()) {
        static_cast<void>(peer_.send(encode_message(FrameType::kFailed, frame.error())));
        return std::move(frame).error();
      }
      if (!*frame) break;
      const auto answered = answer(**frame);
      if (!answered.ok()) SENTINEL_CHECK(peer_.send(encode_message(FrameType::kFailed, answered.error())));
    }
    SENTINEL_TRY(const bool open, peer_.receive());
    if (!open) return {};
  }
}

Result<void> Conversation::say_hello() {
  facts_ = collect_facts(machine_, this_process());
  Hello hello;
  hello.version = SENTINEL_VERSION;
  hello.facts = facts_;
  SENTINEL_TRY(hello.digest, own_digest(machine_));
  // A host whose records can't be read still says hello: status and recover are how a person finds out.
  hello.generation = host_.generations.current().value_or(0);
  hello.audit_head = host_.audit.head().value_or("");
  const auto status = status_view(host_);
  if (status.ok() && !status->at("running").is_null()) {
    hello.transaction = status->at("running").at("transaction").get<std::string>();
  } else if (status.ok() && !status->at("interrupted").empty()) {
    hello.transaction = status->at("interrupted").front().get<std::string>();
  }
  return peer_.send(std::string(kPreamble) + encode_message(FrameType::kHello, hello));
}

Result<void> Conversation::answer(const Frame& frame) {
  switch (frame.type) {
    case FrameType::kInstall: return become_successor(frame);
    case FrameType::kRequest: return answer_request(frame);
    case FrameType::kSecrets: {
      SENTINEL_TRY(secrets_, decode_secrets(frame.payload));
      return {};
    }
    case FrameType::kContent: return take_content(frame);
    case FrameType::kBegin: return answer_begin(frame);
    case FrameType::kAttach: return answer_attach(frame);
    case FrameType::kConfirm:
    case FrameType::kExtend:
    case FrameType::kAbort: return pass_on(frame);
    case FrameType::kAsk: return answer_ask(frame);
    case FrameType::kGeneration: return answer_generation(frame);
    case FrameType::kAudit: return answer_audit(frame);
    case FrameType::kReadLogs: return answer_logs(frame);
    default: return Error("wire.malformed", "a frame came that only an agent sends");
  }
}

Result<void> Conversation::take_content(const Frame& frame) {
  SENTINEL_TRY(auto arrived, collector_.accept(frame.payload));
  if (!arrived) return {};
  content_bytes_ += arrived->bytes.size();
  if (content_bytes_ > kMaxContent)
    return Error("wire.oversized", "the contents of one conversation are larger than is allowed");
  contents_.insert_or_assign(arrived->reference.digest, std::move(arrived->bytes));
  return {};
}

Result<void> Conversation::become_successor(const Frame& frame) {
  SENTINEL_TRY(const auto install, decode_message<Install>(frame.payload));
  if (install.size > kMaxSuccessor) return Error("wire.oversized", "the announced agent is larger than any agent is");
  SENTINEL_TRY(const auto bytes, peer_.receive_raw(install.size));
  SENTINEL_TRY(const auto path, install_successor(machine_, bytes, install.sha256));
  std::string program = path;
  std::string name = "sentinel-agent";
  std::string verb = "serve";
  char* const arguments[] = {name.data(), verb.data(), nullptr};
  ::execv(program.c_str(), arguments);
  return system_error(errno, "start", path);
}

Result<void> Conversation::answer_request(const Frame& frame) {
  SENTINEL_TRY(auto request, decode_message<Request>(frame.payload));
  return answer_plan(std::move(request));
}

Result<void> Conversation::answer_generation(const Frame& frame) {
  SENTINEL_TRY(const auto restore, decode_message<RestoreGeneration>(frame.payload));
  SENTINEL_TRY(auto request, host_.generations.request_for_generation(restore.generation));
  request.host = restore.request.host;
  request.project = restore.request.project;
  request.purpose = restore.request.purpose;
  request.operator_name = restore.request.operator_name;
  request.confirm_timeout_seconds = restore.request.confirm_timeout_seconds;
  request.lease_wait_seconds = restore.request.lease_wait_seconds;
  request.keep_open = restore.request.keep_open;
  return answer_plan(std::move(request));
}

Result<void> Conversation::answer_plan(Request request) {
  planned_request_.reset();
  SENTINEL_CHECK(check_request(request));
  SENTINEL_CHECK(host_.directory.prepare(machine_));
  SENTINEL_CHECK(await_lease(request));
  SecretView view(host_.secrets, request.secrets, secrets_);
  Result<PlannedRequest> planned = request.release ? plan_order(request, view) : plan_resources(request, view);
  if (!planned.ok()) return std::move(planned).error();
  if (!planned->missing.empty()) return peer_.send(encode_message(FrameType::kNeed, Need{planned->missing}));
  planned_request_ = std::move(request);
  return peer_.send(encode_message(FrameType::kPlan, planned->plan));
}

Result<void> Conversation::await_lease(const Request& request) {
  const auto end = clock_.since_boot() + std::chrono::seconds(request.lease_wait_seconds);
  while (clock_.since_boot() < end) {
    SENTINEL_TRY(const auto holder, Lease::holder(host_.directory.lease()));
    if (!holder) return {};
    // Nothing can come before the answer but the end.
    pollfd leaving{peer_.fd(), POLLIN, 0};
    if (::poll(&leaving, 1, kLeaseLook) > 0) return Error("wire.closed", "the peer left while its plan was waiting");
  }
  return {};
}

Result<PlannedRequest> Conversation::plan_order(Request& request, SecretView& view) {
  SENTINEL_TRY(const auto app, ReleaseRegistry(machine_, host_.directory).read(request.release->release.app));
  SENTINEL_TRY(request.release, complete_order(*request.release, app));
  const auto contents = [this](const std::string& digest) -> std::optional<std::string> {
    if (const auto sent = contents_.find(digest); sent != contents_.end()) return sent->second;
    auto stored = host_.blobs.get(digest);
    if (!stored.ok()) return std::nullopt;
    return std::move(stored).value();
  };
  return plan_release(request, host_, view, contents);
}

Result<PlannedRequest> Conversation::plan_resources(const Request& request, SecretView& view) {
  std::vector<std::string> keep_open = request.keep_open;
  if (facts_.ssh_port != 0) keep_open.push_back(std::to_string(facts_.ssh_port));
  SENTINEL_TRY(auto surroundings, host_.surroundings(view, keep_open));
  surroundings.content = [this,
                          stored = surroundings.content](const ContentRef& reference) -> std::optional<std::string> {
    const auto sent = contents_.find(reference.digest);
    return sent != contents_.end() ? std::optional(sent->second) : stored(reference);
  };
  Survey survey(std::move(surroundings));
  return plan_request(request, host_, view, survey);
}

Result<void> Conversation::answer_begin(const Frame& frame) {
  SENTINEL_TRY(const auto begin, decode_message<Begin>(frame.payload));
  if (!is_transaction_id(begin.transaction)) return Error("wire.malformed", "a transaction id has 32 hex digits");
  if (!planned_request_) return Error("wire.malformed", "a transaction must follow a plan on the same connection");
  SENTINEL_TRY(auto owner, hand_over(begin));
  return follow(begin.transaction, 0, std::move(owner));
}

Result<LocalConnection> Conversation::hand_over(const Begin& begin) {
  TransactionOrder order{{begin, facts_.ssh_client, {}}, *planned_request_, secrets_, contents_};
  if (facts_.ssh_port != 0) order.handover.ports_in_use.push_back(std::to_string(facts_.ssh_port));
  return begin_transaction(host_, order);
}

Result<std::string> Conversation::transaction_to_follow(const Attach& attach) {
  std::string id = attach.transaction;
  if (id.empty()) {
    SENTINEL_TRY(id, latest_transaction(host_));
    if (id.empty()) return Error("attach.none", "no transaction was ever begun on this host");
  }
  if (!is_transaction_id(id)) return Error("wire.malformed", "a transaction id has 32 hex digits");
  SENTINEL_TRY(const auto events, machine_.status(host_.directory.events(id)));
  if (events.type == FileType::kAbsent)
    return Error("attach.unknown", fmt::format("this host knows no transaction {}", id));
  return id;
}

Result<void> Conversation::answer_attach(const Frame& frame) {
  SENTINEL_TRY(const auto attach, decode_message<Attach>(frame.payload));
  SENTINEL_TRY(const auto id, transaction_to_follow(attach));
  return follow(id, attach.offset, std::nullopt);
}

Result<void> Conversation::pass_on(const Frame& frame) {
  const auto json = parse_json(frame.payload);
  const std::string id = json.ok() && json->is_object() ? json->value("transaction", "") : "";
  if (!is_transaction_id(id)) return Error("wire.malformed", "a transaction id has 32 hex digits");
  auto connection = LocalConnection::connect(StateDirectory{}.socket(id));
  if (!connection.ok()) {
    return Error("confirm.unknown-transaction", fmt::format("no transaction {} is running on this host", id),
                 "it may have ended: sentinelctl attach shows how");
  }
  SENTINEL_CHECK(connection->send(encode_frame(frame.type, frame.payload)));
  SENTINEL_TRY(const auto reply, connection->await(std::chrono::seconds(10)));
  return peer_.send(encode_frame(reply.type, reply.payload));
}

Result<void> Conversation::answer_ask(const Frame& frame) {
  SENTINEL_TRY(const auto ask, decode_message<Ask>(frame.payload));
  Result<nlohmann::json> answer = Error("ask.unknown", fmt::format("this agent knows no topic '{}'", ask.topic));
  if (ask.topic == "status") answer = status_view(host_);
  if (ask.topic == "history") answer = history_view(host_);
  if (ask.topic == "releases") answer = releases_view(host_, ask.name);
  if (ask.topic == "audit") answer = audit_view(host_, ask.name);
  if (!answer.ok()) return std::move(answer).error();
  return peer_.send(encode_frame(FrameType::kAnswer, to_text(*answer)));
}

Result<void> Conversation::answer_audit(const Frame& frame) {
  SENTINEL_TRY(const auto request, decode_message<AuditRequest>(frame.payload));
  SENTINEL_CHECK(host_.directory.prepare(machine_));
  SecretView view(host_.secrets, request.secrets, {});
  std::vector<std::string> keep_open = request.keep_open;
  if (facts_.ssh_port != 0) keep_open.push_back(std::to_string(facts_.ssh_port));
  SENTINEL_TRY(auto surroundings, host_.surroundings(view, keep_open));
  surroundings.keep = {};
  auto record = examine(request, std::move(surroundings), facts_);
  record.taken_at = to_rfc3339(clock_.now());
  return peer_.send(encode_message(FrameType::kRecord, record));
}

Result<void> Conversation::answer_logs(const Frame& frame) {
  SENTINEL_TRY(const auto wish, decode_message<ReadLogs>(frame.payload));
  ApplicationLog log(host_, clock_, wish.app, wish.lines);
  pollfd waiting{peer_.fd(), POLLIN, 0};
  do {
    SENTINEL_TRY(const auto lines, log.next());
    std::string text;
    for (const auto& line : lines) {
      text += line.substr(0, kMaxLogFrame) + "\n";
      if (text.size() >= kMaxLogFrame)
        SENTINEL_CHECK(peer_.send(encode_frame(FrameType::kLogs, std::exchange(text, {}))));
    }
    if (!text.empty()) SENTINEL_CHECK(peer_.send(encode_frame(FrameType::kLogs, text)));
    // Whatever comes, also the peer's end, ends the following; it is dealt with where frames are read.
  } while (wish.follow && ::poll(&waiting, 1, kLogLook) == 0);
  return peer_.send(encode_frame(FrameType::kEnd, ""));
}

}  // namespace sentinel::agent
