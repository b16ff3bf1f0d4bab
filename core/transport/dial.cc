// SPDX-License-Identifier: Apache-2.0
// getaddrinfo can't be interrupted or given a deadline, so a name (not a literal) is looked up on a thread of its own
// which outlives us when it has to.
#include "core/transport/dial.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace sentinel {

using std::chrono::milliseconds;

namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  int family = AF_UNSPEC;
};

/// Shared with the looking-up thread, so whoever finishes last frees it.
struct Lookup {
  std::string name;
  Descriptor done{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  int status = EAI_AGAIN;
  std::vector<Address> addresses;

  void run(int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* list = nullptr;
    status = ::getaddrinfo(name.c_str(), nullptr, &hints, &list);
    for (const addrinfo* entry = list; status == 0 && entry != nullptr; entry = entry->ai_next) {
      Address address;
      std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
      address.length = entry->ai_addrlen;
      address.family = entry->ai_family;
      addresses.push_back(address);
    }
    if (list != nullptr) ::freeaddrinfo(list);
  }
};

Result<std::vector<Address>> look_up(const std::string& name, Patience& patience) {
  auto lookup = std::make_shared<Lookup>();
  lookup->name = name;
  lookup->run(AI_NUMERICHOST);
  if (lookup->status != 0) {
    std::thread([lookup] {
      lookup->run(AI_ADDRCONFIG);
      const std::uint64_t one = 1;
      (void)!::write(lookup->done.get(), &one, sizeof one);
    }).detach();
    std::vector<pollfd> watched{{lookup->done.get(), POLLIN, 0}};
    const auto woken = patience.wait(watched);
    if (woken == Patience::Woken::kInterrupted) return interrupted();
    if (woken == Patience::Woken::kTimeout) {
      return unreachable("ssh.timeout", fmt::format("looking up '{}' took too long", name),
                         "check this machine's DNS, or use the host's IP address");
    }
    // What the thread wrote before it is ours only after this read.
    std::uint64_t done = 0;
    (void)!::read(lookup->done.get(), &done, sizeof done);
  }
  if (lookup->status != 0 || lookup->addresses.empty()) {
    return unreachable("ssh.unknown-host", fmt::format("'{}' has no address: {}", name, ::gai_strerror(lookup->status)),
                       "check the spelling of the host's address, and this machine's DNS");
  }
  return std::move(lookup->addresses);
}

Error connect_error(int number, const std::string& place) {
  if (number == ECONNREFUSED) {
    return unreachable("ssh.refused", fmt::format("{} refuses connections", place),
                       "check the port, and that sshd runs on the host");
  }
  if (number == ETIMEDOUT) {
    return unreachable("ssh.timeout", fmt::format("{} does not answer", place),
                       "check the address, the port, and the firewalls between here and the host");
  }
  return unreachable("ssh.unreachable",
                     fmt::format("{}: {}", place, std::strerror(number)));  // NOLINT: glibc's is safe
}

void set_port(Address& address, std::uint16_t port) {
  if (address.family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = htons(port);  // NOLINT: sockets want it so
  } else {
    reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = htons(port);  // NOLINT: sockets want it so
  }
}

Result<Descriptor> dial_one(Address address, std::uint16_t port, const std::string& place, milliseconds share,
                            Patience& patience) {
  set_port(address, port);
  Descriptor socket(::socket(address.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return connect_error(errno, place);
  const int on = 1;
  (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto* where = reinterpret_cast<const sockaddr*>(&address.storage);  // NOLINT: sockets want it so
  if (::connect(socket.get(), where, address.length) == 0) return socket;
  if (errno != EINPROGRESS) return connect_error(errno, place);

  std::vector<pollfd> watched{{socket.get(), POLLOUT, 0}};
  const auto woken = patience.wait(watched, share);
  if (woken == Patience::Woken::kInterrupted) return interrupted();
  if (woken == Patience::Woken::kTimeout) return connect_error(ETIMEDOUT, place);
  int problem = 0;
  socklen_t size = sizeof problem;
  (void)::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &problem, &size);
  if (problem != 0) return connect_error(problem, place);
  return socket;
}

}  // namespace

Result<Descriptor> dial(const std::string& address, std::uint16_t port, Patience& patience) {
  SENTINEL_TRY(const auto addresses, look_up(address, patience));
  const std::string place = fmt::format("{} port {}", address, port);
  Result<Descriptor> last = connect_error(ETIMEDOUT, place);
  for (std::size_t i = 0; i < addresses.size() && !patience.expired(); ++i) {
    const auto left = patience.remaining();
    const auto share = left == milliseconds::max() ? left : left / static_cast<int>(addresses.size() - i);
    last = dial_one(addresses[i], port, place, share, patience);
    if (last.ok() || last.error().code == "ssh.interrupted") return last;
  }
  return last;
}

}  // namespace sentinel
