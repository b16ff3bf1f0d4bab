// SPDX-License-Identifier: Apache-2.0
// The order of a connection: what could we offer, reach the host, exchange keys, judge the host's key, log in. Keys are
// looked at first, because hosts count connections that end without a login attempt.
#include "core/transport/session.h"

#include <fmt/format.h>

#include "core/transport/connect.h"
#include "core/transport/credentials.h"
#include "core/transport/dial.h"
#include "core/transport/jump_relay.h"
#include "core/transport/login.h"
#include "core/transport/ssh_channel.h"

namespace sentinel {

namespace {

Result<HostKey> server_key(SshSession::State& state) {
  ssh_key key = nullptr;
  char* base64 = nullptr;
  if (ssh_get_server_publickey(state.session, &key) != SSH_OK || ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK) {
    ssh_key_free(key);
    return unreachable("ssh.handshake", fmt::format("can't read the host key of {}", display(state.target)));
  }
  // For ECDSA the plain type name lacks the curve.
  const bool ecdsa = std::string(ssh_key_type_to_char(ssh_key_type(key))) == "ecdsa";
  HostKey found{ecdsa ? ssh_pki_key_ecdsa_name(key) : ssh_key_type_to_char(ssh_key_type(key)), base64};
  ssh_string_free_char(base64);
  ssh_key_free(key);
  return found;
}

Result<Descriptor> reach(SshSession::State& state, Patience& patience) {
  const SshTarget& target = state.target;
  if (target.jump == nullptr) return dial(target.address, target.port, patience);
  SENTINEL_TRY(state.jump, JumpRelay::open(*target.jump, target.address, target.port, state.options));
  patience = Patience(state.options.timeout, state.options.interrupt_fd);
  return state.jump->take_socket();
}

/// The policy with its question off the clock.
HostKeyPolicy off_the_clock(const HostKeyPolicy& policy, Patience& patience) {
  HostKeyPolicy timed = policy;
  if (policy.ask) {
    timed.ask = [&policy, &patience](const UnknownHost& unknown) {
      const auto before = std::chrono::steady_clock::now();
      auto answer = policy.ask(unknown);
      patience.extend(std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before));
      return answer;
    };
  }
  return timed;
}

Result<void> connect_steps(SshSession::State& state) {
  Patience patience(state.options.timeout, state.options.interrupt_fd);
  SENTINEL_TRY(const Credentials credentials,
               gather_credentials(state.target, static_cast<bool>(state.options.ask_passphrase), patience));
  SENTINEL_TRY(Descriptor socket, reach(state, patience));
  SENTINEL_CHECK(state.start(std::move(socket)));
  SENTINEL_CHECK(state.handshake(patience));
  SENTINEL_TRY(const HostKey offered, server_key(state));
  SENTINEL_TRY(state.host_key, judge_host_key(state.target, offered, off_the_clock(state.options.host_keys, patience)));
  SENTINEL_CHECK(log_in(state, credentials, patience));
  state.authenticated = true;
  return {};
}

}  // namespace

Result<std::unique_ptr<SshSession::State>> connect_state(const SshTarget& target, const ConnectOptions& options) {
  auto state = std::make_unique<SshSession::State>(target, options);
  if (auto done = connect_steps(*state); !done.ok()) return std::move(done).error();
  return state;
}

Result<std::unique_ptr<SshSession>> SshSession::connect(const SshTarget& target, const ConnectOptions& options) {
  auto state = connect_state(target, options);
  const std::string name = target.name.empty() ? display(target) : target.name;
  if (!state.ok()) return std::move(state).error().during(fmt::format("connecting to {}", name));
  return std::unique_ptr<SshSession>(new SshSession(std::move(state).value()));
}

SshSession::SshSession(std::unique_ptr<State> state) : state_(std::move(state)) {}

SshSession::~SshSession() = default;

Result<std::unique_ptr<Channel>> SshSession::exec(const std::string& command) {
  return SshChannel::exec(*state_, command);
}

const HostKeyDecision& SshSession::host_key() const {
  return state_->host_key;
}

const HostKey* SshSession::jump_host_key() const {
  return state_->jump == nullptr ? nullptr : &state_->jump->host_key();
}

const std::string& SshSession::login_key() const {
  return state_->login_key;
}

const std::string& SshSession::login_public_key() const {
  return state_->login_public_key;
}

}  // namespace sentinel
