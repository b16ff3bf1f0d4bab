// SPDX-License-Identifier: Apache-2.0
#include "cli/outside/connect.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>
#include <map>
#include <memory>
#include <thread>

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

Result<Addresses> resolve(const std::string& host, int flags) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags;
  addrinfo* list = nullptr;
  const int status = ::getaddrinfo(host.c_str(), nullptr, &wanted, &list);
  if (status != 0) return Error("outside.lookup", fmt::format("no address for {}: {}", host, ::gai_strerror(status)));
  return Addresses(list);
}

/// The system's resolver knows no deadline: one that takes longer is left to itself, in a thread of its own.
Result<Addresses> look_up(const std::string& host, SteadyClock::time_point until) {
  if (auto written = resolve(host, AI_NUMERICHOST); written.ok()) return written;
  std::promise<Result<Addresses>> promise;
  auto answer = promise.get_future();
  std::thread([host, promise = std::move(promise)]() mutable { promise.set_value(resolve(host, 0)); }).detach();
  if (answer.wait_until(until) == std::future_status::timeout)
    return Error("outside.timeout", fmt::format("no name server said in time where {} is", host));
  return answer.get();
}

int milliseconds_until(SteadyClock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now()).count();
  return static_cast<int>(std::clamp<long>(left, 0, 60'000));
}

/// A connection under way; an error when it can't even begin.
Result<Descriptor> begin(const addrinfo& address, std::uint16_t port, const std::string& place) {
  sockaddr_storage door{};
  std::memcpy(&door, address.ai_addr, address.ai_addrlen);
  (address.ai_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(door).sin6_port
                                 : reinterpret_cast<sockaddr_in&>(door).sin_port) = htons(port);
  Descriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return Error("outside.connect", fmt::format("{}: {}", place, std::strerror(errno)));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&door), address.ai_addrlen) != 0 &&
      errno != EINPROGRESS) {
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
  SENTINEL_TRY(const auto addresses, look_up(host, until));
  const auto place = fmt::format("{} port {}", host, port);
  Error last("outside.connect", place);
  for (const auto* each = addresses.get(); each != nullptr; each = each->ai_next) {
    auto socket = begin(*each, port, place);
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
  std::map<std::string, Result<Addresses>> known;
  for (std::size_t i = 0; i < doors.size(); ++i) {
    const auto& [host, port] = doors[i];
    out.push_back({host, port, "silent"});
    auto found = known.find(host);
    if (found == known.end()) found = known.emplace(host, look_up(host, until)).first;
    const auto& addresses = found->second;
    auto socket = addresses.ok() ? begin(**addresses, port, host) : Result<Descriptor>(addresses.error());
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
