// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/dial.h"

#include <errno.h>
#include <sys/socket.h>

#include <utility>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "proxy/net/resolve.h"

namespace sentinel::proxy {
namespace {

using Endpoint = boost::asio::generic::stream_protocol::endpoint;

bool connected(int descriptor) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

/// Empty: done.
Task<std::string> shake_hands(Stream& stream, const DialTools& tools, const Origin& origin,
                              const StreamDeadline& deadline) {
  stream.start_tls(tools.trust, origin);
  while (!deadline.expired()) {
    const IoStatus step = stream.handshake();
    if (step == IoStatus::kDone) co_return std::string();
    if (step != IoStatus::kAgain) co_return stream.tls()->failure();
    co_await stream.wait_handshake();
  }
  co_return "no answer in time";
}

/// Where to connect to.
Task<std::vector<Endpoint>> endpoints_of(Loop& loop, NameResolver* names, const Origin& origin,
                                         std::chrono::steady_clock::time_point end) {
  if (origin.host.starts_with('/')) {
    co_return std::vector<Endpoint>{boost::asio::local::stream_protocol::endpoint(origin.host)};
  }
  Wake never;
  std::vector<Endpoint> endpoints;
  for (const boost::asio::ip::address& address : co_await resolve(loop, names, origin.host, end, never)) {
    endpoints.emplace_back(boost::asio::ip::tcp::endpoint(address, origin.port));
  }
  co_return endpoints;
}

}  // namespace

Task<Dialled> dial(Loop& loop, DialTools tools, Origin origin, std::chrono::milliseconds each) {
  Dialled dialled;
  const auto names_end = std::chrono::steady_clock::now() + each;
  const std::vector<Endpoint> endpoints = co_await endpoints_of(loop, tools.names, origin, names_end);
  for (const Endpoint& endpoint : endpoints) {
    Descriptor descriptor(::socket(endpoint.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!descriptor.valid()) continue;
    const int raw = descriptor.get();
    const bool at_once = ::connect(raw, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0;
    if (!at_once && errno != EINPROGRESS) continue;
    auto stream = std::make_unique<Stream>(loop, std::move(descriptor));
    StreamDeadline deadline(*stream);
    deadline.arm(each);
    WaitResult waited = WaitResult::kReady;
    if (!at_once) waited = co_await stream->wait_writable();
    if (waited != WaitResult::kReady || !connected(raw)) continue;
    if (origin.tls) dialled.failure = co_await shake_hands(*stream, tools, origin, deadline);
    if (!dialled.failure.empty()) continue;
    dialled.stream = std::move(stream);
    co_return dialled;
  }
  // Its addresses may have changed.
  if (tools.names != nullptr && !endpoints.empty()) tools.names->distrust(origin.host);
  co_return dialled;
}

}  // namespace sentinel::proxy
