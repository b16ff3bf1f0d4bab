// SPDX-License-Identifier: Apache-2.0
// sentinelctl's side of a conversation with one agent: typed questions and answers over a byte channel. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "core/model/event.h"
#include "core/base/secret.h"
#include "core/model/observation.h"
#include "core/wire/agent_start.h"
#include "core/wire/byte_channel.h"
#include "core/wire/messages.h"

namespace sentinel {

/// Contents by digest, as config's expansion makes them: the serialized bytes a host may ask for.
using Contents = std::map<std::string, std::string>;

class AgentClient {
 public:
  explicit AgentClient(ByteChannel& channel) : channel_(channel), reader_(FrameReader::Start::kAtPreamble) {}

  /// What to do on the way to the agent's hello.
  struct Greeting {
    const AgentBinaries& agents;
    std::string sudo_prompt;  ///< empty: no password is given to sudo
    Secret sudo_password;
    std::chrono::milliseconds timeout{30'000};
    /// Called before bytes are uploaded (a first contact, or a new version), with their number.
    std::function<void(std::size_t)> on_upload;
  };

  /// Brings an agent of our version to its hello on a channel that runs agent_start_command: gives sudo its password when
  /// it asks, uploads the agent where there is none, has an older one install its successor. Errors: `agent.sudo`,
  /// `agent.unsupported`, `agent.damaged`, `agent.no-answer` (with what the host said), `agent.protocol`.
  Result<Hello> greet(const Greeting& greeting);

  /// Asks for a plan; contents the host lacks are sent from `contents` when it asks for them.
  Result<Plan> plan(const Request& request, const SecretValues& secrets, const Contents& contents);
  /// Asks for the plan that restores a recorded generation.
  Result<Plan> plan_generation(const RestoreGeneration& restore);

  /// Called for each event; returning false stops following (the transaction goes on).
  using OnEvent = std::function<bool(const Event&)>;
  /// Called whenever nothing happened for a while: the place to notice an interrupt. May send abort() or extend().
  using OnIdle = std::function<void()>;

  /// Applies the plan asked for last and follows it to its end. The result is the transaction's last event.
  /// Error `channel.*` when the connection breaks: the transaction goes on, attach again at offset().
  Result<Event> begin(const Begin& begin, const OnEvent& on_event, const OnIdle& on_idle = {});
  Result<Event> attach(const Attach& attach, const OnEvent& on_event, const OnIdle& on_idle = {});
  /// Bytes of the event log seen so far: where to attach after a broken connection.
  std::uint64_t offset() const { return offset_; }

  /// Asks a running transaction to revert; its events tell the rest. Fire and forget: usable while following.
  Result<void> request_abort(const std::string& transaction);
  Result<void> request_extension(const std::string& transaction, std::uint32_t seconds);

  /// Says that the operator is in again; refused unless this connection was made after the activation.
  Result<void> confirm(const std::string& transaction);

  Result<nlohmann::json> ask(const Ask& ask);

  /// Asks for everything an audit wants to know: one question, one answer, nothing on the host changes.
  Result<HostRecord> audit(const AuditRequest& request);

  /// Reads a log to its end, or for good; `on_text` gets whole lines. Error `channel.*` when the connection breaks.
  Result<void> read_logs(const ReadLogs& wish, const std::function<void(const std::string&)>& on_text);

 private:
  Result<void> await_preamble(const Greeting& greeting);
  Result<void> answer_greeting(const Greeting& greeting, std::string& said);
  Result<Hello> read_hello(std::chrono::milliseconds timeout);
  Result<void> install(const AgentBinary& agent);
  Result<Frame> next_frame(std::chrono::milliseconds timeout);
  Result<Frame> expect_answer(std::chrono::milliseconds timeout);
  Result<Event> follow(const OnEvent& on_event, const OnIdle& on_idle);
  Result<Plan> await_plan(const std::string& question, const Contents& contents, std::chrono::milliseconds limit);

  ByteChannel& channel_;
  FrameReader reader_;
  bool password_given_ = false;
  std::string event_text_;  ///< an unfinished line of the event log
  std::uint64_t offset_ = 0;
};

}  // namespace sentinel
