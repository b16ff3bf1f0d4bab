// SPDX-License-Identifier: Apache-2.0
// Plain poll and send: at most a handful of connections, all from this machine's root.
#include "agent/local_socket.h"

#include <errno.h>
#include <fmt/format.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/file.h"

namespace sentinel::agent {
namespace {

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Error("socket.path-too-long", "socket path is too long: " + path);
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

}  // namespace

Result<LocalConnection> LocalConnection::connect(const std::string& path) {
  SENTINEL_TRY(const auto address, address_of(path));
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return system_error(errno, "make", "a socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED)
      return Error("socket.absent", "no transaction of that name is running");
    return system_error(errno, "connect to", path);
  }
  return LocalConnection(std::move(fd));
}

Result<void> LocalConnection::send(std::string_view frames) {
  while (!frames.empty()) {
    const ssize_t sent = ::send(descriptor_.get(), frames.data(), frames.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return system_error(errno, "write to", "the local socket");
    }
    frames.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<bool> LocalConnection::receive() {
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t got = ::recv(descriptor_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got > 0) {
      reader_.feed({buffer, static_cast<std::size_t>(got)});
      return true;
    }
    if (got == 0) return false;
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return true;
    if (errno == ECONNRESET) return false;
    return system_error(errno, "read from", "the local socket");
  }
}

Result<Frame> LocalConnection::await(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    SENTINEL_TRY(auto frame, next());
    if (frame) return std::move(*frame);
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return Error("socket.timeout", "the other half of the agent does not answer");
    pollfd poll_fd{descriptor_.get(), POLLIN, 0};
    if (::poll(&poll_fd, 1, static_cast<int>(left.count())) < 0 && errno != EINTR)
      return system_error(errno, "poll", "a socket");
    SENTINEL_TRY(const bool open, receive());
    if (!open) return Error("socket.closed", "the other half of the agent has ended");
  }
}

int LocalConnection::peer_pid() const {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(descriptor_.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return 0;
  return credentials.pid;
}

Result<Descriptor> listen_locally(const std::string& path) {
  SENTINEL_CHECK(make_directories(parent_directory(path), 0700));
  SENTINEL_TRY(const auto address, address_of(path));
  ::unlink(path.c_str());
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return system_error(errno, "make", "a socket");
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return system_error(errno, "bind", path);
  if (::chmod(path.c_str(), 0600) != 0) return system_error(errno, "change the mode of", path);
  if (::listen(fd.get(), 16) != 0) return system_error(errno, "listen on", path);
  return fd;
}

}  // namespace sentinel::agent
