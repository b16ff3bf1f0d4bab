// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>

namespace sentinel::proxy {
namespace {

using Endpoint = boost::asio::ip::tcp::endpoint;

Error cannot_listen(const std::string& where, const std::string& why) {
  return Error("proxy.listen", fmt::format("can't listen on {}: {}", where, why));
}

}  // namespace

Result<Descriptor> listen_tcp(const std::string& host, std::uint16_t port) {
  const std::string where = fmt::format("{} port {}", host, port);
  boost::system::error_code wrong;
  const boost::asio::ip::address address = boost::asio::ip::make_address(host, wrong);
  if (wrong) {
    return cannot_listen(where, "not an address")
        .hinted("write an IPv4 or IPv6 address, not a name")
        .exits(ExitCode::kUsage);
  }
  const Endpoint endpoint(address, port);
  Descriptor listener(::socket(endpoint.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!listener.valid() || setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(listener.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      ::listen(listener.get(), 4096) != 0) {
    return cannot_listen(where, strerror(errno));
  }
  return listener;
}

std::string listening_address(const Descriptor& listener) {
  Endpoint endpoint;
  auto length = static_cast<socklen_t>(endpoint.capacity());
  if (getsockname(listener.get(), endpoint.data(), &length) != 0) return "unknown";
  const std::string host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", host, endpoint.port())
                                    : fmt::format("{}:{}", host, endpoint.port());
}

Result<Descriptor> duplicate(const Descriptor& listener) {
  Descriptor copy(fcntl(listener.get(), F_DUPFD_CLOEXEC, 3));
  if (!copy.valid()) return cannot_listen(listening_address(listener), strerror(errno));
  return copy;
}

}  // namespace sentinel::proxy
