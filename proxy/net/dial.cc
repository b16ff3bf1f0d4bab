// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/dial.h"

#include <errno.h>
#include <sys/socket.h>

#include <utility>

#include "proxy/net/resolve.h"

namespace sentinel::proxy {
namespace {

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

}  // namespace

Task<Dialled> dial(Loop& loop, DialTools tools, Origin origin, std::chrono::milliseconds each) {
  Dialled dialled;
  Wake never;
  const auto names_end = std::chrono::steady_clock::now() + each;
  const Addresses addresses = co_await resolve(loop, tools.names, origin.host, names_end, never);
  for (const boost::asio::ip::address& address : addresses) {
    const boost::asio::ip::tcp::endpoint endpoint(address, origin.port);
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
  if (tools.names != nullptr && !addresses.empty()) tools.names->distrust(origin.host);
  co_return dialled;
}

}  // namespace sentinel::proxy
