// SPDX-License-Identifier: Apache-2.0
// Accepting. Workers share a listening socket: each waits on it with its own reactor and takes what it can get.
#include "proxy/net/http_server.h"

#include <errno.h>
#include <sys/socket.h>

#include "proxy/net/server_connection.h"
#include "proxy/net/waiter.h"

namespace sentinel::proxy {
namespace {

constexpr std::chrono::milliseconds kOutOfDescriptors{100};  // pause before accepting again
constexpr std::size_t kMostQueued = 4096;                    // connections taken off a listener that is being closed

}  // namespace

struct HttpServer::Listener {
  Listener(Loop& loop, Descriptor descriptor) : stream(loop, std::move(descriptor)) {}

  Stream stream;  ///< only waited on
  bool released = false;
};

HttpServer::HttpServer(Loop& loop, RequestHandler& handler, ServerLimits limits)
    : loop_(loop), handler_(handler), limits_(limits) {}

HttpServer::~HttpServer() = default;

void HttpServer::accept_on(Descriptor listener) {
  holding_ = false;
  loop_.spawn(accept_loop(std::make_unique<Listener>(loop_, std::move(listener))));
}

void HttpServer::take(Descriptor client) {
  if (connections_.size() >= limits_.connections) return;
  loop_.spawn(serve(std::make_unique<ServerConnection>(*this, std::move(client))));
}

// What is queued may have nobody else to take it. Other processes may hold the same socket: a mere close would leave it
// in this worker's epoll set.
void HttpServer::release(Listener& listener) {
  if (listener.released) return;
  for (std::size_t queued = 0; queued < kMostQueued && accept_one(listener); ++queued) {
  }
  listener.released = true;
  listener.stream.release();
}

void HttpServer::hold() {
  holding_ = true;
  for (Listener* listener : listeners_) release(*listener);
}

void HttpServer::drain() {
  draining_ = true;
  // Done here and not by the accepting tasks: the loop may stop before those run again, and a socket that nobody
  // accepts on would let clients wait in its queue.
  for (Listener* listener : listeners_) release(*listener);
  for (ServerConnection* connection : connections_) connection->nudge();
}

bool HttpServer::accept_one(Listener& listener) {
  const int client = ::accept4(listener.stream.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client < 0) return errno == ECONNABORTED || errno == EINTR || errno == EPROTO;
  take(Descriptor(client));
  return true;
}

Task<void> HttpServer::accept_loop(std::unique_ptr<Listener> listener) {
  const auto place = listeners_.insert(listeners_.end(), listener.get());
  while (!listener->released && !draining_) {
    if (accept_one(*listener)) continue;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // The waiting connection keeps the listener readable: pause instead of spinning.
      co_await pause_for(loop_, kOutOfDescriptors);
      continue;
    }
    listener->stream.found_nothing();
    co_await listener->stream.wait_readable();
  }
  listeners_.erase(place);
}

Task<void> HttpServer::serve(std::unique_ptr<ServerConnection> connection) {
  const auto place = connections_.insert(connections_.end(), connection.get());
  handler_.connected();
  open_.fetch_add(1, std::memory_order_relaxed);
  co_await connection->run();
  handler_.disconnected();
  connections_.erase(place);
  open_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace sentinel::proxy
