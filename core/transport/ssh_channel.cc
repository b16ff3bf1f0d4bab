// SPDX-License-Identifier: Apache-2.0
// What has come in is moved out of libssh at every look: it drops received bytes once the connection has failed.
#include "core/transport/ssh_channel.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace sentinel {

using std::chrono::milliseconds;

namespace {

constexpr std::uint32_t kWriteAtOnce = 128U << 10;
/// What a peer may say while we are busy writing to it.
constexpr std::size_t kMostKept = 64U << 20;

}  // namespace

SshChannel::SshChannel(SshSession::State& state) : state_(state), channel_(ssh_channel_new(state.session)) {
  callbacks_.userdata = this;
  callbacks_.channel_exit_signal_function = on_signal;
  ssh_callbacks_init(&callbacks_);
  if (channel_ != nullptr) ssh_set_channel_callbacks(channel_, &callbacks_);
}

SshChannel::~SshChannel() {
  if (channel_ == nullptr) return;
  close();
  ssh_remove_channel_callbacks(channel_, &callbacks_);
  ssh_channel_free(channel_);
}

void SshChannel::on_signal(ssh_session, ssh_channel, const char* signal, int, const char*, const char*, void* self) {
  static_cast<SshChannel*>(self)->signal_ = signal;
}

Result<std::unique_ptr<Channel>> SshChannel::exec(SshSession::State& state, const std::string& command) {
  std::unique_ptr<SshChannel> made(new SshChannel(state));
  if (made->channel_ == nullptr) return state.lost("out of memory");
  Patience patience = made->patience(state.options.timeout);
  SENTINEL_TRY(const int opened,
               repeat(state, patience, SSH_AGAIN, [&] { return ssh_channel_open_session(made->channel_); }));
  if (opened != SSH_OK) {
    if (ssh_is_connected(state.session) == 0) return state.lost(state.reason());
    return unreachable("ssh.no-channel", fmt::format("{} refuses a session: {}", display(state.target), state.reason()),
                       "sshd's MaxSessions or the account's restrictions forbid it");
  }
  SENTINEL_TRY(const int started, repeat(state, patience, SSH_AGAIN,
                                         [&] { return ssh_channel_request_exec(made->channel_, command.c_str()); }));
  if (started != SSH_OK) {
    if (ssh_is_connected(state.session) == 0) return state.lost(state.reason());
    return unreachable("ssh.exec-refused", fmt::format("{} refuses to run a command", display(state.target)),
                       "the account may be limited to other uses, such as file transfer");
  }
  return std::unique_ptr<Channel>(std::move(made));
}

Patience SshChannel::patience(milliseconds limit) const {
  return {limit, state_.options.interrupt_fd};
}

Result<void> SshChannel::take_in(int is_error_output, std::string& into) {
  std::array<char, 64U << 10> buffer;
  while (true) {
    const int count = ssh_channel_read_nonblocking(channel_, buffer.data(), buffer.size(), is_error_output);
    if (count > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(count));
      continue;
    }
    if (count == 0 || count == SSH_AGAIN || count == SSH_EOF) return {};
    if (ssh_channel_is_closed(channel_) != 0 && ssh_is_connected(state_.session) != 0) return {};
    return state_.lost(state_.reason());
  }
}

Result<void> SshChannel::take_in() {
  SENTINEL_CHECK(take_in(0, output_));
  return take_in(1, error_output_);
}

Result<Received> SshChannel::read(milliseconds limit) {
  Patience patience = this->patience(limit);
  while (true) {
    const Result<void> taken = take_in();
    if (!output_.empty()) return Received{Received::Kind::kOutput, std::exchange(output_, {})};
    if (!error_output_.empty()) return Received{Received::Kind::kErrorOutput, std::exchange(error_output_, {})};
    SENTINEL_CHECK(taken);
    if (ssh_channel_is_eof(channel_) != 0 || ssh_channel_is_closed(channel_) != 0) return Received{};
    if (const auto waited = state_.wait(patience); !waited.ok()) {
      if (waited.error().code == "ssh.timeout") return Received{Received::Kind::kTimeout, {}};
      return waited.error();
    }
  }
}

Result<void> SshChannel::write(std::string_view bytes, milliseconds limit) {
  Patience patience = this->patience(limit);
  while (!bytes.empty()) {
    const auto part = static_cast<std::uint32_t>(std::min<std::size_t>(bytes.size(), kWriteAtOnce));
    const int count = ssh_channel_write(channel_, bytes.data(), part);
    if (count < 0) {
      if (ssh_is_connected(state_.session) == 0) return state_.lost(state_.reason());
      return unreachable("ssh.channel-closed",
                         fmt::format("the program on {} no longer reads its input", display(state_.target)));
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
    if (static_cast<std::uint32_t>(count) == part) continue;
    // The window is used up. The program may be stuck writing to us: what it says has to be taken in.
    SENTINEL_CHECK(take_in());
    if (output_.size() + error_output_.size() > kMostKept) {
      return unreachable("ssh.output-too-large",
                         fmt::format("{} sent more than {} MiB unasked", display(state_.target), kMostKept >> 20));
    }
    SENTINEL_CHECK(state_.wait(patience));
  }
  return state_.flush(patience);
}

Result<void> SshChannel::send_eof() {
  if (ssh_channel_send_eof(channel_) == SSH_ERROR) {
    if (ssh_is_connected(state_.session) == 0) return state_.lost(state_.reason());
    return {};  // closed by the peer already: it knows
  }
  Patience patience = this->patience(kNoLimit);
  return state_.flush(patience);
}

Result<ExitState> SshChannel::wait_exit(milliseconds limit) {
  Patience patience = this->patience(limit);
  while (true) {
    SENTINEL_CHECK(take_in());
    const int status = ssh_channel_get_exit_status(channel_);
    if (status >= 0) return ExitState{status, {}};
    if (!signal_.empty()) return ExitState{std::nullopt, signal_};
    if (ssh_is_connected(state_.session) == 0) return state_.lost(state_.reason());
    if (ssh_channel_is_closed(channel_) != 0) return ExitState{};
    SENTINEL_CHECK(state_.wait(patience));
  }
}

void SshChannel::close() {
  if (ssh_is_connected(state_.session) != 0) ssh_channel_close(channel_);
}

}  // namespace sentinel
