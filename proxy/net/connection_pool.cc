// SPDX-License-Identifier: Apache-2.0
// Connecting and keeping. The newest idle connection is used first, so that the others grow old and go.
#include <errno.h>
#include <sys/socket.h>

#include <utility>
#include <vector>

#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "proxy/net/http_client.h"

namespace sentinel::proxy {
namespace {

using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;
using Endpoints = std::vector<asio::ip::tcp::endpoint>;

Task<Endpoints> resolve(Loop& loop, std::string host, std::uint16_t port) {
  boost::system::error_code not_address;
  const asio::ip::address address = asio::ip::make_address(host, not_address);
  Endpoints found;
  if (!not_address) {
    found.emplace_back(address, port);
    co_return found;
  }
  Resolver resolver(loop.context());
  const std::string service = std::to_string(port);
  const auto [failed, results] = co_await resolver.async_resolve(host, service, kUseTask);
  if (failed) co_return found;
  for (const auto& result : results) found.push_back(result.endpoint());
  co_return found;
}

ClientStatus connect_error(int descriptor) {
  int error = 0;
  socklen_t length = sizeof error;
  const bool known = getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0;
  return known && error == 0 ? ClientStatus::kDone : ClientStatus::kConnect;
}

}  // namespace

ConnectionPool::ConnectionPool(Loop& loop, std::size_t most_idle, std::chrono::seconds idle_time)
    : loop_(loop), most_idle_(most_idle), idle_time_(idle_time) {}

Task<Connected> ConnectionPool::acquire(Origin origin, ClientTimes times, Wake& wake, bool only_new) {
  auto& idle = idle_[origin.text()];
  const auto now = std::chrono::steady_clock::now();
  while (!idle.empty() && now - idle.front()->idle_since > idle_time_) idle.pop_front();
  while (!only_new && !idle.empty()) {
    std::unique_ptr<HttpClientConnection> connection = std::move(idle.back());
    idle.pop_back();
    if (connection->fresh()) co_return Connected{ClientStatus::kDone, std::move(connection)};
  }
  Connected connected = co_await connect(std::move(origin), times, wake);
  co_return connected;
}

Task<Connected> ConnectionPool::connect(Origin origin, ClientTimes times, Wake& wake) {
  const Endpoints endpoints = co_await resolve(loop_, origin.host, origin.port);
  ClientStatus status = ClientStatus::kResolve;
  for (const auto& endpoint : endpoints) {
    if (wake.cancelled()) co_return Connected{ClientStatus::kCancelled, nullptr};
    Descriptor descriptor(::socket(endpoint.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    status = ClientStatus::kConnect;
    if (!descriptor.valid()) continue;
    const int raw = descriptor.get();
    const bool at_once = ::connect(raw, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0;
    if (!at_once && errno != EINPROGRESS) continue;
    auto connection = std::make_unique<HttpClientConnection>(loop_, origin, std::move(descriptor));
    StreamDeadline deadline(connection->stream());
    deadline.arm(times.connect);
    wake.bind(&connection->stream());
    bool waiting = !at_once;
    while (waiting && !wake.cancelled() && !deadline.expired()) {
      const WaitResult waited = co_await connection->stream().wait_writable();
      waiting = waited != WaitResult::kReady;
    }
    wake.bind(nullptr);
    if (wake.cancelled()) co_return Connected{ClientStatus::kCancelled, nullptr};
    status = waiting ? ClientStatus::kTimeout : connect_error(raw);
    if (status == ClientStatus::kDone) co_return Connected{status, std::move(connection)};
  }
  co_return Connected{status, nullptr};
}

void ConnectionPool::release(std::unique_ptr<HttpClientConnection> connection) {
  if (connection == nullptr || !connection->reusable()) return;
  auto& idle = idle_[connection->origin().text()];
  if (idle.size() >= most_idle_) return;
  connection->idle_since = std::chrono::steady_clock::now();
  idle.push_back(std::move(connection));
}

}  // namespace sentinel::proxy
