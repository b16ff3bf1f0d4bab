// SPDX-License-Identifier: Apache-2.0
// Traps of libssh 0.10 that this file lives with: it makes the descriptor blocking once connected (undone after the
// handshake, or a stalled peer would block a write for ever); it closes the descriptor itself on errors, and only then;
// it would read configuration and known_hosts files of its own accord, and run their ProxyCommand, unless told not to.
#include "core/transport/libssh_session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libssh/callbacks.h>
#include <libssh/server.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>

#include "core/transport/jump_relay.h"

namespace sentinel {

using std::chrono::milliseconds;

namespace {

void discard_log(int, const char*, const char*, void*) {}

Result<void> set_option(ssh_session session, ssh_options_e option, const void* value) {
  if (ssh_options_set(session, option, value) == SSH_OK) return {};
  return unreachable("ssh.handshake", fmt::format("can't set up the SSH library: {}", ssh_get_error(session)));
}

/// Acknowledges at once what has come in. sshd's answer to the channel request otherwise waits, by Nagle's algorithm,
/// for the acknowledgement of its message before, which the kernel delays by 40 ms. Not sticky, hence before every
/// wait.
void acknowledge_now(int fd) {
  const int on = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

}  // namespace

SshSession::State::State(SshTarget target_, ConnectOptions options_)
    : target(std::move(target_)), options(std::move(options_)) {}

SshSession::State::~State() {
  if (session == nullptr) return;
  const int fd = ssh_get_fd(session);
  if (fd >= 0) {
    // libssh only writes the goodbye when its last look at the socket found it writable: this is that look.
    ssh_message_free(ssh_message_get(session));
    Patience moment(milliseconds(200), -1);
    if (authenticated) (void)flush(moment);
    ssh_disconnect(session);
    ::close(fd);
  }
  ssh_free(session);
}

Result<void> SshSession::State::start(Descriptor socket) {
  static std::once_flag once;
  std::call_once(once, [] { ssh_init(); });
  // The log callback and level are per thread.
  ssh_set_log_level(SSH_LOG_NOLOG);
  ssh_set_log_callback(discard_log);

  session = ssh_new();
  if (session == nullptr) return unreachable("ssh.handshake", "out of memory");
  const int fd = socket.release();
  if (ssh_options_set(session, SSH_OPTIONS_FD, &fd) != SSH_OK) {
    ::close(fd);
    return unreachable("ssh.handshake", "can't hand the connection to the SSH library");
  }
  const bool no = false;
  const int quiet = SSH_LOG_NOLOG;
  SENTINEL_CHECK(set_option(session, SSH_OPTIONS_PROCESS_CONFIG, &no));
  SENTINEL_CHECK(set_option(session, SSH_OPTIONS_LOG_VERBOSITY, &quiet));
  SENTINEL_CHECK(set_option(session, SSH_OPTIONS_KNOWNHOSTS, "/dev/null"));
  SENTINEL_CHECK(set_option(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null"));
  // Nothing of libssh's looks at the name any more: the connection is there, and known_hosts are our own.
  SENTINEL_CHECK(set_option(session, SSH_OPTIONS_HOST, "host"));
  SENTINEL_CHECK(set_option(session, SSH_OPTIONS_USER, target.user.c_str()));
  SENTINEL_CHECK(set_option(session, SSH_OPTIONS_HOSTKEYS, preferred_host_key_algorithms(target).c_str()));
  ssh_set_counters(session, &traffic_, nullptr);
  ssh_set_blocking(session, 0);
  return {};
}

Result<void> SshSession::State::handshake(Patience& patience) {
  SENTINEL_TRY(const int status, repeat(*this, patience, SSH_AGAIN, [this] { return ssh_connect(session); }));
  if (status != SSH_OK) {
    const std::string why = reason();
    if (ssh_get_serverbanner(session) == nullptr) {
      return unreachable(
          "ssh.not-ssh",
          fmt::format("{} port {} answers, but not as an SSH server: {}", target.address, target.port, why),
          "check the port; a host that bans this address, or is starting, also answers like this");
    }
    return unreachable("ssh.handshake", fmt::format("no SSH connection to {}: {}", display(target), why));
  }
  const int fd = ssh_get_fd(session);
  const int flags = ::fcntl(fd, F_GETFL);
  (void)::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  return {};
}

std::string SshSession::State::reason() const {
  std::string text = ssh_get_error(session);
  for (const std::string prefix : {"Socket error: ", "Received SSH_MSG_DISCONNECT: "}) {
    if (text.rfind(prefix, 0) == 0) text.erase(0, prefix.size());
  }
  if (text.empty() || text == "disconnected") text = "the connection was closed";
  return text;
}

Error SshSession::State::lost(const std::string& what) const {
  Error error = unreachable("ssh.connection-lost", fmt::format("connection to {} lost: {}", display(target), what));
  if (jump != nullptr && !jump->failure().empty()) {
    return std::move(error).during(fmt::format("carrying it through {}: {}", jump->name(), jump->failure()));
  }
  return error;
}

milliseconds SshSession::State::next_look() const {
  if (!authenticated) return kNoLimit;
  const auto due =
      std::min<std::chrono::nanoseconds>(options.keepalive_interval * (keepalives_ + 1), options.keepalive_limit);
  return std::max(std::chrono::ceil<milliseconds>(due - silence_), milliseconds(1));
}

Result<void> SshSession::State::watch_silence() {
  if (!authenticated) return {};
  if (silence_ >= options.keepalive_limit) {
    return lost(fmt::format("no sign of life for {} s", options.keepalive_limit.count() / 1000));
  }
  if (silence_ >= options.keepalive_interval * (keepalives_ + 1)) {
    // The first call only takes in the answer to the keepalive before, if there is one.
    if (keepalives_ == 0) (void)ssh_send_keepalive(session);
    (void)ssh_send_keepalive(session);
    ++keepalives_;
  }
  return {};
}

Result<void> SshSession::State::wait(Patience& patience, std::vector<pollfd>* extra) {
  while (true) {
    const int fd = ssh_get_fd(session);
    if (fd < 0) return lost(reason());
    if (traffic_.in_bytes != heard_bytes_) {
      heard_bytes_ = traffic_.in_bytes;
      silence_ = silence_.zero();
      keepalives_ = 0;
      // Every libssh call may take in more than its caller asks for: bytes of the channel's other stream, a larger
      // window. No poll would wake us for those, so the caller looks again.
      return {};
    }
    acknowledge_now(fd);
    const bool unsent = (ssh_get_poll_flags(session) & SSH_WRITE_PENDING) != 0;
    std::vector<pollfd> watched{{fd, static_cast<short>(unsent ? POLLIN | POLLOUT : POLLIN), 0}};
    if (extra != nullptr) watched.insert(watched.end(), extra->begin(), extra->end());

    const auto before = std::chrono::steady_clock::now();
    const auto woken = patience.wait(watched, next_look());
    silence_ += std::chrono::steady_clock::now() - before;
    if (woken == Patience::Woken::kInterrupted) return interrupted();
    if (woken == Patience::Woken::kReady) {
      if (extra != nullptr) std::copy(watched.begin() + 1, watched.end(), extra->begin());
      return {};
    }
    if (patience.expired()) {
      return unreachable("ssh.timeout", fmt::format("{} did not answer in time", display(target)));
    }
    SENTINEL_CHECK(watch_silence());
  }
}

Result<void> SshSession::State::flush(Patience& patience) {
  while (true) {
    const int status = ssh_blocking_flush(session, 0);
    if (status == SSH_OK) return {};
    if (status != SSH_AGAIN) return lost(reason());
    SENTINEL_CHECK(wait(patience));
  }
}

}  // namespace sentinel
