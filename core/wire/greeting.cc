// SPDX-License-Identifier: Apache-2.0
// AgentClient's way from an exec'd start script to an agent of our version. Everything before the preamble is text of the
// host: a login shell's chatter, sudo's prompt, the start script's requests.
#include <fmt/format.h>

#include "core/base/digest.h"
#include "core/wire/agent_client.h"

namespace sentinel {
namespace {

using std::chrono::milliseconds;

std::string tail_of(const std::string& text) {
  constexpr std::size_t kShown = 400;
  std::string shown = text.size() > kShown ? text.substr(text.size() - kShown) : text;
  while (!shown.empty() && (shown.back() == '\n' || shown.back() == '\r')) shown.pop_back();
  return shown;
}

// The rest of the line after `marker`, when `text` holds a whole such line.
std::optional<std::string> line_after(const std::string& text, std::string_view marker) {
  const auto start = text.find(marker);
  if (start == std::string::npos) return std::nullopt;
  const auto end = text.find('\n', start);
  if (end == std::string::npos) return std::nullopt;
  return text.substr(start + marker.size(), end - start - marker.size());
}

Error no_answer(const std::string& said, const std::string& diagnostics) {
  if (diagnostics.find("a password is required") != std::string::npos) {
    return Error("agent.sudo", "sudo wants a password on this host",
                 "pass --ask-sudo-password, or allow the agent without one (deploy_sudo: agent)", ExitCode::kUnreachable);
  }
  if (diagnostics.find("not allowed") != std::string::npos || diagnostics.find("not in the sudoers") != std::string::npos ||
      diagnostics.find("incorrect password") != std::string::npos) {
    return Error("agent.sudo", fmt::format("sudo refused to start the agent: {}", tail_of(diagnostics)),
                 "log in as a user who may use sudo, or as root", ExitCode::kUnreachable);
  }
  const std::string shown = tail_of(diagnostics.empty() ? said : diagnostics);
  return Error("agent.no-answer",
               shown.empty() ? std::string("no agent answered on the host")
                             : fmt::format("no agent answered on the host; it said: {}", shown),
               "log in by hand and see what happens there", ExitCode::kUnreachable);
}

}  // namespace

// Reacts to what the host has said so far; consumes what it reacted to.
Result<void> AgentClient::answer_greeting(const Greeting& greeting, std::string& said) {
  const std::string diagnostics = channel_.diagnostics();
  const auto prompt = greeting.sudo_prompt.empty() ? std::string::npos : diagnostics.find(greeting.sudo_prompt);
  if (prompt != std::string::npos && !password_given_) {
    password_given_ = true;
    SENTINEL_CHECK(channel_.write(greeting.sudo_password.reveal() + "\n"));
  }
  if (prompt != std::string::npos && diagnostics.find(greeting.sudo_prompt, prompt + 1) != std::string::npos) {
    return Error("agent.sudo", "sudo did not accept the password", "it is the password of the user who logs in", ExitCode::kUnreachable);
  }
  if (const auto architecture = line_after(said, kUnsupported)) {
    return Error("agent.unsupported", fmt::format("there is no agent for {} machines", *architecture),
                 "see docs/architecture.md for the supported ones", ExitCode::kUsage);
  }
  if (line_after(said, kUploadDamaged)) {
    return Error("agent.damaged", "the agent arrived damaged on the host", "is its disk full?", ExitCode::kUnreachable);
  }
  if (const auto architecture = line_after(said, kUploadWanted)) {
    const auto agent = greeting.agents.find(*architecture);
    if (agent == greeting.agents.end()) return Error("agent.unsupported", "the host asks for an unknown build");
    said.clear();
    if (greeting.on_upload) greeting.on_upload(agent->second.bytes.size());
    SENTINEL_CHECK(channel_.write(agent->second.bytes));
  }
  return {};
}

Result<void> AgentClient::await_preamble(const Greeting& greeting) {
  std::string said;
  const auto deadline = std::chrono::steady_clock::now() + greeting.timeout;
  for (;;) {
    const auto found = said.find(kPreamble);
    if (found != std::string::npos) {
      reader_ = FrameReader(FrameReader::Start::kAtPreamble);
      reader_.feed(std::string_view(said).substr(found));
      return {};
    }
    if (said.size() > kMaxNoise) return no_answer(said, "the login shell prints without end");
    SENTINEL_CHECK(answer_greeting(greeting, said));
    if (std::chrono::steady_clock::now() > deadline) return no_answer(said, channel_.diagnostics());
    // Short waits, since sudo's prompt arrives on the other stream.
    auto open = channel_.read(said, greeting.sudo_prompt.empty() ? greeting.timeout : milliseconds(50));
    if (!open.ok() && open.error().code != "channel.timeout") return std::move(open).error();
    if (open.ok() && !*open) {
      SENTINEL_CHECK(answer_greeting(greeting, said));
      return no_answer(said, channel_.diagnostics());
    }
  }
}

Result<Hello> AgentClient::read_hello(milliseconds timeout) {
  SENTINEL_TRY(const auto frame, expect_answer(timeout));
  if (frame.type != FrameType::kHello) return Error("wire.malformed", "the agent did not begin with a hello");
  return decode_message<Hello>(frame.payload);
}

Result<void> AgentClient::install(const AgentBinary& agent) {
  SENTINEL_CHECK(channel_.write(encode_message(FrameType::kInstall, Install{agent.bytes.size(), agent.sha256})));
  return channel_.write(agent.bytes);
}

Result<Hello> AgentClient::greet(const Greeting& greeting) {
  SENTINEL_CHECK(await_preamble(greeting));
  SENTINEL_TRY(auto hello, read_hello(greeting.timeout));
  const auto ours = greeting.agents.find(hello.facts.architecture);
  if (ours != greeting.agents.end() && hello.digest != ours->second.sha256) {
    if (greeting.on_upload) greeting.on_upload(ours->second.bytes.size());
    SENTINEL_CHECK(install(ours->second));
    SENTINEL_CHECK(await_preamble(greeting));
    SENTINEL_TRY(hello, read_hello(greeting.timeout));
  }
  if (hello.protocol != kProtocol) {
    return Error("agent.protocol", fmt::format("the agent speaks protocol {}, we speak {}", hello.protocol, kProtocol),
                 "use the sentinelctl that belongs to it, or a newer one");
  }
  return hello;
}

}  // namespace sentinel
