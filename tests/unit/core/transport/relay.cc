// SPDX-License-Identifier: Apache-2.0
#include "relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <stdexcept>
#include <string>
#include <utility>

namespace sentinel::test {

namespace {

using Time = std::chrono::steady_clock::time_point;

/// One direction: what was read, and when it is due.
struct Lane {
  int from = -1;
  int to = -1;
  bool ended = false;
  std::deque<std::pair<Time, std::string>> waiting{};

  /// True when something was read.
  bool take(std::chrono::milliseconds delay) {
    std::array<char, 65536> buffer;
    const ssize_t count = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0) return false;
    if (count == 0) ended = true;
    waiting.emplace_back(std::chrono::steady_clock::now() + delay,
                         std::string(buffer.data(), static_cast<std::size_t>(count)));
    return count > 0;
  }

  /// Passes on what is due; an empty piece is the end.
  void give() {
    while (!waiting.empty() && waiting.front().first <= std::chrono::steady_clock::now()) {
      const std::string bytes = std::move(waiting.front().second);
      waiting.pop_front();
      if (bytes.empty()) ::shutdown(to, SHUT_WR);
      if (!bytes.empty()) (void)!::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
  }
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Relay::Relay(std::uint16_t port, std::chrono::milliseconds delay)
    : port_(port), delay_(delay), listening_(::socket(AF_INET, SOCK_STREAM, 0)), stop_(::eventfd(0, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  if (::bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(listening_.get(), 1) != 0 ||
      ::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("relay");
  }
  own_port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { carry(); });
}

Relay::~Relay() {
  const std::uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void Relay::carry() {
  std::array<pollfd, 2> first{{{listening_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
  ::poll(first.data(), first.size(), -1);
  if (first[1].revents != 0) return;
  const Descriptor client(::accept(listening_.get(), nullptr, nullptr));
  const Descriptor server(::socket(AF_INET, SOCK_STREAM, 0));
  const sockaddr_in address = loopback(port_);
  if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  const int on = 1;
  ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(server.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

  Lane there{client.get(), server.get()};
  Lane back{server.get(), client.get()};
  bool server_spoke = true;
  while (true) {
    Time due = Time::max();
    for (const Lane* lane : {&there, &back}) {
      if (!lane->waiting.empty()) due = std::min(due, lane->waiting.front().first);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - std::chrono::steady_clock::now()).count();
    const int timeout = due == Time::max() ? -1 : static_cast<int>(std::max<decltype(left)>(left, 0));
    std::array<pollfd, 3> watched{{{stop_.get(), POLLIN, 0},
                                   {there.ended ? -1 : client.get(), POLLIN, 0},
                                   {back.ended ? -1 : server.get(), POLLIN, 0}}};
    ::poll(watched.data(), watched.size(), timeout);
    if (watched[0].revents != 0) return;
    if (watched[1].revents != 0 && there.take(delay_) && std::exchange(server_spoke, false)) ++flights_;
    if (watched[2].revents != 0 && back.take(delay_)) server_spoke = true;
    there.give();
    back.give();
  }
}

}  // namespace sentinel::test
