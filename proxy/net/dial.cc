// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/dial.h"

#include <errno.h>
#include <sys/socket.h>

#include <vector>

#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "proxy/net/output.h"

namespace sentinel::proxy {
namespace {

using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;

Task<std::vector<asio::ip::tcp::endpoint>> addresses(Loop& loop, std::string host, std::uint16_t port) {
  std::vector<asio::ip::tcp::endpoint> found;
  boost::system::error_code not_address;
  const asio::ip::address address = asio::ip::make_address(host, not_address);
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

bool connected(int descriptor) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

}  // namespace

Task<std::unique_ptr<Stream>> dial(Loop& loop, std::string host, std::uint16_t port, std::chrono::milliseconds each) {
  const std::vector<asio::ip::tcp::endpoint> endpoints = co_await addresses(loop, std::move(host), port);
  for (const auto& endpoint : endpoints) {
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
    if (waited == WaitResult::kReady && connected(raw)) co_return stream;
  }
  co_return nullptr;
}

}  // namespace sentinel::proxy
