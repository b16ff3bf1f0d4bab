// SPDX-License-Identifier: Apache-2.0
// Messages are length-prefixed; an agent is trusted no further than to answer within bounds.
#include "core/transport/agent.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace sentinel {

namespace {

constexpr char kFailure = 5;
constexpr char kRequestIdentities = 11;
constexpr char kIdentitiesAnswer = 12;
constexpr char kSignRequest = 13;
constexpr std::size_t kMostBytes = 256U << 10;

std::string number(std::uint32_t value) {
  return {static_cast<char>(value >> 24U), static_cast<char>(value >> 16U), static_cast<char>(value >> 8U),
          static_cast<char>(value)};
}

std::string prefixed(const std::string& bytes) {
  return number(static_cast<std::uint32_t>(bytes.size())) + bytes;
}

/// Takes numbers and strings off the front of a message; nothing when it is too short.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::optional<char> take_byte() {
    if (rest_.empty()) return std::nullopt;
    const char value = rest_.front();
    rest_.remove_prefix(1);
    return value;
  }

  std::optional<std::uint32_t> take_number() {
    if (rest_.size() < 4) return std::nullopt;
    std::uint32_t value = 0;
    for (const char byte : rest_.substr(0, 4)) value = value << 8U | static_cast<unsigned char>(byte);
    rest_.remove_prefix(4);
    return value;
  }

  std::optional<std::string> take_string() {
    const auto length = take_number();
    if (!length || rest_.size() < *length) return std::nullopt;
    std::string value(rest_.substr(0, *length));
    rest_.remove_prefix(*length);
    return value;
  }

 private:
  std::string_view rest_;
};

Error agent_error(const std::string& what) {
  return unreachable("ssh.agent", fmt::format("the ssh agent {}", what),
                     "try `ssh-add -l`; unset SSH_AUTH_SOCK to do without");
}

Result<void> wait_for(int fd, short events, Patience& patience) {
  std::vector<pollfd> watched{{fd, events, 0}};
  const auto woken = patience.wait(watched);
  if (woken == Patience::Woken::kInterrupted) return interrupted();
  if (woken == Patience::Woken::kTimeout) return unreachable("ssh.timeout", "the ssh agent did not answer in time");
  return {};
}

Result<void> send_all(int fd, std::string_view bytes, Patience& patience) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) return agent_error("closed the connection");
    SENTINEL_CHECK(wait_for(fd, POLLOUT, patience));
  }
  return {};
}

Result<std::string> receive_exactly(int fd, std::size_t wanted, Patience& patience) {
  std::string bytes;
  std::array<char, 4096> buffer;
  while (bytes.size() < wanted) {
    SENTINEL_CHECK(wait_for(fd, POLLIN, patience));
    const ssize_t count = ::recv(fd, buffer.data(), std::min(buffer.size(), wanted - bytes.size()), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) return agent_error("closed the connection");
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return bytes;
}

Result<std::string> receive_message(int fd, Patience& patience) {
  SENTINEL_TRY(const std::string head, receive_exactly(fd, 4, patience));
  const std::uint32_t length = *Reader(head).take_number();
  if (length == 0 || length > kMostBytes) return agent_error("sent a message of impossible length");
  return receive_exactly(fd, length, patience);
}

Result<std::string> ask(int fd, const std::string& request, Patience& patience) {
  SENTINEL_CHECK(send_all(fd, prefixed(request), patience));
  return receive_message(fd, patience);
}

}  // namespace

Result<Descriptor> connect_agent(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return agent_error("has a socket path that is too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return system_error(errno, "socket", path);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
      0) {  // NOLINT: sockets want it so
    return agent_error(fmt::format("at {} can't be reached: {}", path, system_error(errno, "connect", path).message));
  }
  return socket;
}

Result<std::vector<AgentKey>> list_agent_keys(const Descriptor& agent, Patience& patience) {
  SENTINEL_TRY(const std::string reply, ask(agent.get(), std::string(1, kRequestIdentities), patience));
  Reader reader(reply);
  if (reader.take_byte() != kIdentitiesAnswer) return agent_error("refuses to list its keys");
  const auto count = reader.take_number();
  std::vector<AgentKey> keys;
  for (std::uint32_t i = 0; count && i < *count; ++i) {
    auto blob = reader.take_string();
    auto comment = reader.take_string();
    if (!blob || !comment) return agent_error("sent a list of keys that ends early");
    keys.push_back({std::move(*blob), std::move(*comment)});
  }
  return keys;
}

Result<std::unique_ptr<AgentStandIn>> AgentStandIn::start(Descriptor agent, std::chrono::milliseconds limit,
                                                          int interrupt_fd) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return system_error(errno, "socketpair", "ssh agent");
  std::unique_ptr<AgentStandIn> made(new AgentStandIn);
  made->near_ = Descriptor(ends[0]);
  made->far_ = Descriptor(ends[1]);
  made->agent_ = std::move(agent);
  made->stop_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  made->limit_ = limit;
  made->interrupt_fd_ = interrupt_fd;
  made->thread_ = std::thread([self = made.get()] { self->serve(); });
  return made;
}

AgentStandIn::~AgentStandIn() {
  const std::uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void AgentStandIn::show(const AgentKey& key) {
  const std::lock_guard lock(mutex_);
  shown_ = key;
}

void AgentStandIn::serve() {
  while (true) {
    Patience patience(std::chrono::milliseconds::max(), stop_.get());
    const auto request = receive_message(far_.get(), patience);
    if (!request.ok() || !send_all(far_.get(), prefixed(answer(*request)), patience).ok()) break;
  }
  // libssh may still hold its end and would wait for an answer for ever.
  far_.close();
}

std::string AgentStandIn::answer(const std::string& request) {
  if (request.front() == kRequestIdentities) {
    const std::lock_guard lock(mutex_);
    return std::string(1, kIdentitiesAnswer) + number(1) + prefixed(shown_.blob) + prefixed(shown_.comment);
  }
  if (request.front() != kSignRequest) return std::string(1, kFailure);
  Patience patience(limit_, interrupt_fd_);
  auto reply = ask(agent_.get(), request, patience);
  return reply.ok() ? std::move(*reply) : std::string(1, kFailure);
}

}  // namespace sentinel
