// SPDX-License-Identifier: Apache-2.0
// One blocking exchange; the process does nothing else.
#include "proxy/operation/health_query.h"

#include <errno.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>

#include <boost/asio/ip/tcp.hpp>

namespace sentinel::proxy {
namespace {

constexpr timeval kPatience{5, 0};
constexpr std::string_view kQuestion = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

Error unhealthy(const std::string& what) {
  return Error("proxy.health", "the proxy is not healthy: " + what);
}

Result<Descriptor> connect_to(const sockaddr* address, socklen_t length, const std::string& where) {
  Descriptor connection(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  if (::connect(connection.get(), address, length) != 0) {
    return unhealthy(fmt::format("can't connect to {}: {}", where, strerror(errno)));
  }
  return connection;
}

Result<Descriptor> connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  return connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address, path);
}

Result<Descriptor> connect_tcp(const ListenAddress& listen) {
  boost::system::error_code failed;
  auto address = boost::asio::ip::make_address(listen.name, failed);
  if (failed) return unhealthy(listen.name + " is no address");
  if (address.is_unspecified()) {
    address = address.is_v4() ? boost::asio::ip::address(boost::asio::ip::address_v4::loopback())
                              : boost::asio::ip::address(boost::asio::ip::address_v6::loopback());
  }
  const boost::asio::ip::tcp::endpoint endpoint(address, listen.port);
  return connect_to(endpoint.data(), static_cast<socklen_t>(endpoint.size()),
                    fmt::format("{} port {}", address.to_string(), listen.port));
}

Result<Descriptor> connect_to_service(const Settings& settings) {
  for (const ListenAddress& listen : settings.operator_listen) {
    if (listen.kind == ListenAddress::Kind::kUnix) return connect_unix(listen.name);
    if (listen.kind == ListenAddress::Kind::kTcp) return connect_tcp(listen);
  }
  if (!settings.admin_socket.empty()) return connect_unix(settings.admin_socket);
  return unhealthy("its operator's port is an inherited descriptor, and there is no admin socket to ask at");
}

}  // namespace

Result<void> ask_health(const Settings& settings) {
  SENTINEL_TRY(const Descriptor connection, connect_to_service(settings));
  if (::send(connection.get(), kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL) < 0) {
    return unhealthy(strerror(errno));
  }
  char answer[13] = {};
  const ssize_t got = ::recv(connection.get(), answer, sizeof answer - 1, MSG_WAITALL);
  if (got < 0) return unhealthy(strerror(errno));
  if (std::string_view(answer, static_cast<std::size_t>(got)) != "HTTP/1.1 200") return unhealthy("it says so");
  return {};
}

}  // namespace sentinel::proxy
