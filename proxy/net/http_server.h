// SPDX-License-Identifier: Apache-2.0
// The server side of HTTP for one worker: accepts, reads requests, and hands each to the RequestHandler as an Exchange.
// Pipelined requests are answered one after another. After a refused head the connection is closed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/net/body_decoder.h"
#include "proxy/net/buffer.h"
#include "proxy/net/http_head.h"
#include "proxy/net/output.h"

namespace sentinel::proxy {

struct ServerLimits {
  HeadLimits head;
  std::size_t connections = 10'000;              ///< per worker; more are accepted and closed at once
  std::chrono::milliseconds head_time{10'000};   ///< from the first byte of a head to its last
  std::chrono::milliseconds body_idle{30'000};   ///< without a byte of the body
  std::chrono::milliseconds body_grace{30'000};  ///< a body may take that long,
  std::size_t body_rate = 1024;                  ///< and a second more for each so many bytes that have come
  WritePatience write;                           ///< with a client that takes its answer slowly
  std::chrono::milliseconds keep_alive{75'000};  ///< between requests
  std::chrono::milliseconds drain_idle{10'000};  ///< between requests, once draining: time for one that is on its way
};

enum class BodyOutcome { kComplete, kTooLarge, kBad, kGone, kTimeout };

class ServerConnection;

/// One request and its answer. Lives on the connection's task; views of the head are valid until the answer has ended,
/// the list of its fields until an answer in pieces begins.
class Exchange {
 public:
  explicit Exchange(ServerConnection& connection) : connection_(connection) {}

  const RequestHead& head() const;
  Stream& stream();
  Loop& loop();

  /// Reads the whole body, at most `cap` bytes; answers "Expect: 100-continue" first.
  Task<BodyOutcome> read_body(Buffer& body, std::size_t cap);

  /// The whole answer. `fields` are complete lines, each with CRLF; Content-Length and Connection are added here.
  /// False: the client is gone.
  Task<bool> respond(int status, std::string_view fields, std::string_view body);

  /// Begins an answer in pieces: the head goes out together with the first bytes written. Without a length the body is
  /// chunked, or ends with the connection for HTTP/1.0.
  void begin(int status, std::string_view fields, std::optional<std::uint64_t> length = std::nullopt);
  /// Writes body bytes without blocking; what the kernel doesn't take is kept. Then, if needs_flush(), flush().
  void write(std::string_view bytes);
  /// Sends what was written since the last call, as one chunk.
  IoStatus send_now();
  bool needs_flush() const;
  /// Waits until everything kept has been taken. False: the client is gone, or too slow.
  Task<bool> flush();
  /// Sends what was written since the last call, and ends the answer in order.
  Task<bool> end();
  /// Breaks the connection, so that the client can't take the answer for complete.
  void abort();

  /// The connection ends after this answer.
  void close_after();
  bool begun() const;
  /// The client took its answer too slowly, and was cut.
  bool too_slow() const;
  int status() const;
  std::uint64_t bytes_sent() const;

 private:
  ServerConnection& connection_;
};

/// Answers requests. One per worker, called on its thread; it outlives the server.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  /// Returns when the answer has ended or the client is gone.
  virtual Task<void> serve(Exchange& exchange) = 0;
  /// A head that was refused: the body of the error answer; the connection is closed behind it.
  virtual std::string refusal_body(int status, std::string_view reason) = 0;

  /// A client's connection has begun, or ended.
  virtual void connected() {}

  virtual void disconnected() {}
};

class HttpServer {
 public:
  HttpServer(Loop& loop, RequestHandler& handler, ServerLimits limits);
  ~HttpServer();

  /// Accepts on a listening, non-blocking socket that other workers may share.
  void accept_on(Descriptor listener);
  /// Takes over a connected client, as accept does; for listeners with a protocol of their own.
  void take(Descriptor client);
  /// Stops accepting and closes its copies of the listeners, until accept_on() is called again. What had been queued on
  /// them by then is still served; connections live on, each until the answer to its next request, which says
  /// "Connection: close".
  void hold();
  /// Stops accepting and closes its copies of the listeners; answers say "Connection: close" from now on, and idle
  /// connections end after `drain_idle`. What had been queued on the listeners by then is still served.
  void drain();

  bool draining() const { return draining_; }

  /// Any thread.
  std::size_t connections() const { return open_.load(std::memory_order_relaxed); }

 private:
  friend class ServerConnection;
  friend class Exchange;
  struct Listener;
  // The tasks own what they work on, so that it ends with them, also when the loop is destroyed under them.
  /// Whether to try again at once.
  bool accept_one(Listener& listener);
  void release(Listener& listener);
  Task<void> accept_loop(std::unique_ptr<Listener> listener);
  Task<void> serve(std::unique_ptr<ServerConnection> connection);

  Loop& loop_;
  RequestHandler& handler_;
  ServerLimits limits_;
  bool draining_ = false;
  bool holding_ = false;
  std::list<Listener*> listeners_;
  std::list<ServerConnection*> connections_;
  std::atomic<std::size_t> open_{0};  ///< how many of them
};

}  // namespace sentinel::proxy
