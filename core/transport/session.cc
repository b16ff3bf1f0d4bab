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
  return state.jump->take_socket();
}

/// A host that is too slow is told by what it didn't do in time.
Result<void> named(Result<void> done, const char* step) {
  if (done.ok() || done.error().code != "ssh.timeout") return done;
  Error error = std::move(done).error().during(step);
  error.hint = "a host under heavy load or that is starting can be this slow: --connect-timeout gives it longer";
  return error;
}

Result<void> connect_steps(SshSession::State& state) {
  const auto full_time = [&] { return Patience(state.options.timeout, state.options.interrupt_fd); };
  Patience to_reach = full_time();
  SENTINEL_TRY(const Credentials credentials,
               gather_credentials(state.target, static_cast<bool>(state.options.ask_passphrase), to_reach));
  SENTINEL_TRY(Descriptor socket, reach(state, to_reach));
  SENTINEL_CHECK(state.start(std::move(socket)));
  Patience to_exchange = full_time();
  SENTINEL_CHECK(named(state.handshake(to_exchange), "exchanging keys"));
  SENTINEL_TRY(const HostKey offered, server_key(state));
  SENTINEL_TRY(state.host_key, judge_host_key(state.target, offered, state.options.host_keys));
  Patience to_log_in = full_time();
  SENTINEL_CHECK(named(log_in(state, credentials, to_log_in), "logging in"));
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
