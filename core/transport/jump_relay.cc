// SPDX-License-Identifier: Apache-2.0
// The thread owns the jump host's session from the moment it starts; the rest of the program only sees the socket pair,
// the stop descriptor and the failure text.
#include "core/transport/jump_relay.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/transport/connect.h"
#include "core/transport/libssh_session.h"

namespace sentinel {

using std::chrono::milliseconds;

namespace {

constexpr std::size_t kPiece = 64U << 10;
/// The session inside bounds what its peer may send by its channel's window; beyond this somebody breaks the protocol.
constexpr std::size_t kMostKept = 64U << 20;
/// How long the last bytes of a closed connection may take to leave for the jump host.
constexpr milliseconds kFarewell{500};

}  // namespace

/// What the thread works with.
struct JumpRelay::Pump {
  std::unique_ptr<SshSession::State> state;
  ssh_channel channel = nullptr;
  Descriptor far;
  std::string to_channel;
  std::string to_socket;
  bool socket_ended = false;
  bool channel_ended = false;

  ~Pump() {
    if (channel != nullptr) ssh_channel_free(channel);
  }

  Result<void> run(int stop_fd);
  Result<void> from_channel();
  Result<void> into_channel();
  /// True when something was read.
  bool from_socket();
  void into_socket();
  /// Until either side ends, or the stop descriptor is readable (`ssh.interrupted`).
  Result<void> carry(Patience& patience);
  /// What the session inside wrote last, its goodbye, should still arrive.
  Result<void> farewell();
};

Result<std::unique_ptr<JumpRelay>> JumpRelay::open(const SshTarget& jump, const std::string& address,
                                                   std::uint16_t port, const ConnectOptions& options) {
  auto connected = connect_state(jump, options);
  const std::string step = fmt::format("connecting to the jump host {}", display(jump));
  if (!connected.ok()) {
    Error error = std::move(connected).error();
    // Another user of the host behind it would be refused here just the same, and each failed login is counted.
    if (error.code == "ssh.auth-refused" || error.code == "ssh.auth-more") error.code = "ssh.jump-login";
    return std::move(error).during(step);
  }
  auto pump = std::make_unique<Pump>();
  pump->state = std::move(connected).value();
  SshSession::State& state = *pump->state;

  pump->channel = ssh_channel_new(state.session);
  if (pump->channel == nullptr) return state.lost("out of memory");
  Patience patience(options.timeout, options.interrupt_fd);
  auto opened = repeat(state, patience, SSH_AGAIN,
                       [&] { return ssh_channel_open_forward(pump->channel, address.c_str(), port, "127.0.0.1", 0); });
  if (!opened.ok()) return std::move(opened).error().during(step);
  if (*opened != SSH_OK) {
    if (ssh_is_connected(state.session) == 0) return state.lost(state.reason()).during(step);
    return unreachable(
        "ssh.jump-refused",
        fmt::format("the jump host {} can't reach {} port {}: {}", display(jump), address, port, state.reason()),
        "check the address as seen from the jump host, and AllowTcpForwarding of its sshd");
  }

  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return system_error(errno, "socketpair", "jump host");
  std::unique_ptr<JumpRelay> relay(new JumpRelay);
  relay->name_ = display(jump);
  relay->host_key_ = state.host_key.key;
  relay->near_ = Descriptor(ends[0]);
  pump->far = Descriptor(ends[1]);
  relay->stop_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  relay->thread_ = std::thread([owner = relay.get(), work = std::move(pump)]() mutable {
    auto done = work->run(owner->stop_.get());
    if (!done.ok()) {
      const std::lock_guard lock(owner->mutex_);
      owner->failure_ = done.error().message;
    }
    work.reset();
  });
  return relay;
}

JumpRelay::~JumpRelay() {
  near_.close();
  const std::uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
}

std::string JumpRelay::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

Result<void> JumpRelay::Pump::from_channel() {
  std::array<char, kPiece> buffer;
  while (!channel_ended) {
    const int count = ssh_channel_read_nonblocking(channel, buffer.data(), buffer.size(), 0);
    if (count > 0) {
      to_socket.append(buffer.data(), static_cast<std::size_t>(count));
      if (to_socket.size() > kMostKept)
        return unreachable("ssh.output-too-large", "more came in than the session can take");
      continue;
    }
    if (ssh_is_connected(state->session) == 0) return state->lost(state->reason());
    if (ssh_channel_is_eof(channel) != 0 || ssh_channel_is_closed(channel) != 0) channel_ended = true;
    break;
  }
  return {};
}

Result<void> JumpRelay::Pump::into_channel() {
  while (!to_channel.empty()) {
    const int count = ssh_channel_write(channel, to_channel.data(), static_cast<std::uint32_t>(to_channel.size()));
    if (count < 0 && ssh_is_connected(state->session) == 0) return state->lost(state->reason());
    if (count < 0) channel_ended = true;
    if (count <= 0) break;
    to_channel.erase(0, static_cast<std::size_t>(count));
  }
  return {};
}

bool JumpRelay::Pump::from_socket() {
  if (!to_channel.empty() || socket_ended) return false;
  std::array<char, kPiece> buffer;
  const ssize_t count = ::recv(far.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count > 0) {
    to_channel.assign(buffer.data(), static_cast<std::size_t>(count));
    return true;
  }
  if (count == 0 || (errno != EAGAIN && errno != EINTR)) socket_ended = true;
  return false;
}

void JumpRelay::Pump::into_socket() {
  while (!to_socket.empty() && !socket_ended) {
    const ssize_t count = ::send(far.get(), to_socket.data(), to_socket.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) {
      socket_ended = true;
      return;
    }
    to_socket.erase(0, static_cast<std::size_t>(count));
  }
}

Result<void> JumpRelay::Pump::carry(Patience& patience) {
  while (true) {
    from_socket();
    SENTINEL_CHECK(into_channel());
    SENTINEL_CHECK(from_channel());
    into_socket();
    if (socket_ended || (channel_ended && to_socket.empty())) return {};

    short events = 0;
    if (to_channel.empty()) events |= POLLIN;
    if (!to_socket.empty()) events |= POLLOUT;
    std::vector<pollfd> near;
    if (events != 0) near.push_back({far.get(), events, 0});
    SENTINEL_CHECK(state->wait(patience, &near));
  }
}

Result<void> JumpRelay::Pump::farewell() {
  Patience patience(kFarewell, -1);
  while (!channel_ended && (from_socket() || !to_channel.empty())) {
    SENTINEL_CHECK(into_channel());
    if (!to_channel.empty()) SENTINEL_CHECK(state->wait(patience));
  }
  return state->flush(patience);
}

Result<void> JumpRelay::Pump::run(int stop_fd) {
  Patience patience(kNoLimit, stop_fd);
  if (auto carried = carry(patience); !carried.ok() && carried.error().code != "ssh.interrupted") return carried;
  return farewell();
}

}  // namespace sentinel
