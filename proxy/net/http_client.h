// SPDX-License-Identifier: Apache-2.0
// The client side of HTTP: one connection to an upstream, and the worker's pool of them. Every wait can be woken by
// somebody else (a client that left, a keep-alive that is due) through a Wake; the caller looks at why and goes on.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "proxy/net/body_decoder.h"
#include "proxy/net/name_resolver.h"
#include "proxy/net/output.h"
#include "proxy/net/tls.h"
#include "proxy/net/url.h"

namespace sentinel::proxy {

/// Wakes the task that waits for an upstream, wherever it waits just then.
class Wake {
 public:
  /// The waiting task looks around and may go on waiting.
  void nudge() {
    if (stream_ != nullptr) stream_->interrupt();
  }

  /// For good: nothing more is wanted of the upstream.
  void cancel() {
    cancelled_ = true;
    nudge();
  }

  const bool& cancelled() const { return cancelled_; }

  void bind(Stream* stream) { stream_ = stream; }

 private:
  Stream* stream_ = nullptr;
  bool cancelled_ = false;
};

enum class ClientStatus {
  kDone,
  kWoken,        ///< by the Wake: look around, and call again to go on
  kCancelled,    ///< by the Wake, for good
  kResolve,      ///< the name has no address
  kTls,          ///< no TLS, or not the one it should be
  kConnect,      ///< refused or unreachable
  kTimeout,      ///< connecting, or without a byte for too long
  kClosed,       ///< closed or reset before the answer was whole
  kBadResponse,  ///< not HTTP/1.1 as we read it
};

/// For logs: "timeout", "closed", …
std::string_view client_status_name(ClientStatus status);

struct ClientTimes {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds idle{120'000};  ///< without a byte moving
};

/// A piece of a response's body, valid until the next co_await (it lies in the worker's scratch).
struct BodyPiece {
  ClientStatus status = ClientStatus::kDone;
  std::string_view bytes;
  bool waits = false;  ///< nothing now: wait_body()
  bool last = false;   ///< the body is whole with this piece
};

class ClientWait;

class HttpClientConnection {
 public:
  HttpClientConnection(Loop& loop, Origin origin, Descriptor descriptor);

  /// Sends a request. The pieces are used up when this returns, whatever the outcome.
  Task<ClientStatus> send(std::vector<std::string_view> pieces, ClientTimes times, Wake& wake);
  /// The response's head; informational ones are skipped. The views are valid until the next request.
  Task<ClientStatus> read_head(std::string_view method, ResponseHead& head, ClientTimes times, Wake& wake);
  /// The head's views are not needed any more, nor the memory they lie in.
  void forget_head();
  /// What there is of the body now; never blocks.
  BodyPiece read_body();
  /// Waits for more of the body.
  ClientWait wait_body(ClientTimes times, Wake& wake);

  /// Whether the connection can carry another request.
  bool reusable() const { return reusable_; }

  /// Whether a byte of an answer to the present request has arrived.
  bool answered() const { return answered_; }

  /// Whether it came from the pool, so that the peer may have closed it meanwhile.
  bool reused() const { return requests_ > 1; }

  /// Idle and still connected.
  bool fresh();

  const Origin& origin() const { return origin_; }

  Stream& stream() { return stream_; }

  std::chrono::steady_clock::time_point idle_since{};

 private:
  friend class ClientWait;

  Origin origin_;
  Stream stream_;
  Output out_;
  StreamDeadline idle_;
  Buffer in_;
  std::size_t head_size_ = 0;
  std::size_t scanned_ = 0;
  BodyDecoder body_;
  bool keep_alive_ = false;
  bool answered_ = false;
  bool reusable_ = false;
  bool waiting_ = false;
  int requests_ = 0;
};

/// A wait for the upstream's next bytes, for co_await; no task of its own.
class ClientWait {
 public:
  ClientWait(HttpClientConnection& connection, std::chrono::milliseconds idle, Wake& wake)
      : connection_(connection), idle_(idle), wake_(wake), wait_(connection.stream_.wait_readable()) {}

  bool await_ready();

  void await_suspend(std::coroutine_handle<> task) { wait_.await_suspend(task); }

  ClientStatus await_resume();

 private:
  HttpClientConnection& connection_;
  std::chrono::milliseconds idle_;
  Wake& wake_;
  StreamWait wait_;
  bool begun_ = false;
};

struct Connected {
  ClientStatus status;
  std::unique_ptr<HttpClientConnection> connection;
};

/// What connections are made with. Shared by all pools of the process, and outliving them.
struct Network {
  NameResolver names;
  /// Told of each handshake that failed, with the reason; any thread.
  std::function<void(const Origin&, std::string_view reason)> tell_refused;

  /// Null: no https. A reload may bring it; any thread.
  std::shared_ptr<TlsTrust> trust() const {
    const std::lock_guard lock(mutex_);
    return trust_;
  }

  void set_trust(std::shared_ptr<TlsTrust> trust) {
    const std::lock_guard lock(mutex_);
    trust_ = std::move(trust);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<TlsTrust> trust_;
};

struct PoolLimits {
  std::size_t most_idle = 1000;                 ///< of one origin
  std::chrono::milliseconds idle_time{50'000};  ///< then closed; below what servers keep them
};

/// Idle connections of one worker, by origin. Single-threaded.
class ConnectionPool {
 public:
  /// Without a network only addresses can be connected to, and only plainly.
  explicit ConnectionPool(Loop& loop, Network* network = nullptr, PoolLimits limits = {});

  /// An idle connection that is still alive, or a new one. `wake` cancels connecting; nudges wait until it is decided.
  Task<Connected> acquire(Origin origin, ClientTimes times, Wake& wake, bool only_new);
  /// Takes a connection back, or closes it when it can't be used again.
  void release(std::unique_ptr<HttpClientConnection> connection);

  /// Closes all idle connections; before the loop is destroyed.
  void close_idle();

  std::size_t idle() const;

 private:
  using Endpoint = boost::asio::ip::tcp::endpoint;
  using Time = std::chrono::steady_clock::time_point;

  Task<Connected> connect(Origin origin, ClientTimes times, Wake& wake);
  Task<Connected> connect_to(Endpoint endpoint, const Origin& origin, Time until, Wake& wake);
  Task<ClientStatus> shake_hands(HttpClientConnection& connection, const StreamDeadline& deadline, Wake& wake);
  /// Closes what has been idle for too long.
  void reap();

  Loop& loop_;
  Network* network_;
  PoolLimits limits_;
  std::map<std::string, std::deque<std::unique_ptr<HttpClientConnection>>> idle_;
  Deadline reaper_;
};

}  // namespace sentinel::proxy
