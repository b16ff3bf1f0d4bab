// SPDX-License-Identifier: Apache-2.0
#include "cli/outside/connect.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace sentinel {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// How long a door may take when another one has answered: so many times as long, and this on top.
constexpr int kRoundTrips = 8;
constexpr std::chrono::milliseconds kLeastPatience{200};

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> look_up(const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &list);
  if (status != 0) return Error("outside.lookup", fmt::format("no address for {}: {}", host, ::gai_strerror(status)));
  return Addresses(list);
}

int milliseconds_until(SteadyClock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now()).count();
  return static_cast<int>(std::clamp<long>(left, 0, 60'000));
}

/// A connection under way; an error when it can't even begin.
Result<Descriptor> begin(const addrinfo& address, const std::string& place) {
  Descriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return Error("outside.connect", fmt::format("{}: {}", place, std::strerror(errno)));
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0 && errno != EINPROGRESS) {
    return Error("outside.connect", fmt::format("{}: {}", place, std::strerror(errno)));
  }
  return socket;
}

int pending_error(const Descriptor& socket) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

std::string outcome_of(int error) {
  if (error == 0) return "open";
  if (error == ECONNREFUSED) return "refused";
  return fmt::format("unreachable: {}", std::strerror(error));
}

}  // namespace

Result<Descriptor> connect_to(const std::string& host, std::uint16_t port, SteadyClock::time_point until) {
  SENTINEL_TRY(const auto addresses, look_up(host, port));
  const auto place = fmt::format("{} port {}", host, port);
  Error last("outside.connect", place);
  for (const auto* each = addresses.get(); each != nullptr; each = each->ai_next) {
    auto socket = begin(*each, place);
    if (!socket.ok()) {
      last = socket.error();
      continue;
    }
    pollfd waiting{socket->get(), POLLOUT, 0};
    if (::poll(&waiting, 1, milliseconds_until(until)) <= 0)
      return Error("outside.timeout", place + " didn't answer in time");
    const int error = pending_error(*socket);
    if (error == 0) return socket;
    last = Error("outside.connect", fmt::format("{}: {}", place, std::strerror(error)));
  }
  return last;
}

std::vector<Knock> knock(const std::vector<std::pair<std::string, std::uint16_t>>& doors,
                         std::chrono::milliseconds deadline) {
  std::vector<Knock> out;
  std::vector<Descriptor> sockets(doors.size());
  const auto began = SteadyClock::now();
  auto until = began + deadline;
  bool answered = false;
  for (std::size_t i = 0; i < doors.size(); ++i) {
    const auto& [host, port] = doors[i];
    out.push_back({host, port, "silent"});
    const auto addresses = look_up(host, port);
    auto socket = addresses.ok() ? begin(**addresses, host) : Result<Descriptor>(addresses.error());
    if (socket.ok()) {
      sockets[i] = std::move(*socket);
    } else {
      out[i].outcome = "unreachable: " + socket.error().message;
    }
  }
  for (;;) {
    std::vector<pollfd> waiting;
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      if (!sockets[i].valid()) continue;
      waiting.push_back({sockets[i].get(), POLLOUT, 0});
      which.push_back(i);
    }
    if (waiting.empty() || ::poll(waiting.data(), waiting.size(), milliseconds_until(until)) <= 0) return out;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      out[which[i]].outcome = outcome_of(pending_error(sockets[which[i]]));
      sockets[which[i]].close();
      if (!answered) until = std::min(until, began + kRoundTrips * (SteadyClock::now() - began) + kLeastPatience);
      answered = true;
    }
  }
}

}  // namespace sentinel
