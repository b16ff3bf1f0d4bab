// SPDX-License-Identifier: Apache-2.0
#include "core/checks/byte_exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>

#include "core/base/descriptor.h"

namespace sentinel {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMostBytes = 1U << 20;

std::string place_of(const ByteQuestion& question) {
  return question.socket.empty() ? fmt::format("127.0.0.1:{}", question.port) : question.socket;
}

/// False: the time is over.
bool wait_for(int fd, short events, steady_clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd watched{fd, events, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

Result<Descriptor> connect_to(const ByteQuestion& question, steady_clock::time_point until) {
  const Error absent("probe.absent", fmt::format("nobody listens on {}", place_of(question)));
  const int family = question.socket.empty() ? AF_INET : AF_UNIX;
  Descriptor out(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!out.valid()) return system_error(errno, "open a socket for", place_of(question));
  int status = 0;
  if (family == AF_UNIX) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (question.socket.size() >= sizeof(address.sun_path)) return absent;
    ::memcpy(address.sun_path, question.socket.c_str(), question.socket.size() + 1);
    status = ::connect(out.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(question.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    status = ::connect(out.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
  }
  if (status == 0) return out;
  if (errno != EINPROGRESS || !wait_for(out.get(), POLLOUT, until)) return absent;
  int failure = 0;
  socklen_t size = sizeof(failure);
  if (::getsockopt(out.get(), SOL_SOCKET, SO_ERROR, &failure, &size) != 0 || failure != 0) return absent;
  return out;
}

}  // namespace

Result<std::string> exchange_bytes(const ByteQuestion& question, std::chrono::milliseconds limit) {
  const auto until = steady_clock::now() + limit;
  const Error late("probe.failed", fmt::format("{} did not answer within {} ms", place_of(question), limit.count()));
  SENTINEL_TRY(const auto connection, connect_to(question, until));
  std::string_view rest = question.bytes;
  while (!rest.empty()) {
    if (!wait_for(connection.get(), POLLOUT, until)) return late;
    const auto sent = ::send(connection.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return system_error(errno, "ask", place_of(question));
    if (sent > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::string answer;
  std::array<char, 4096> buffer{};
  while (!question.whole(answer)) {
    if (!wait_for(connection.get(), POLLIN, until)) return late;
    const auto got = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
    if (got == 0) return answer;
    if (got < 0 && errno != EAGAIN && errno != EINTR) return system_error(errno, "hear", place_of(question));
    if (got > 0) answer.append(buffer.data(), static_cast<std::size_t>(got));
    if (answer.size() > kMostBytes) return Error("probe.failed", place_of(question) + " answers without end");
  }
  return answer;
}

}  // namespace sentinel
