// SPDX-License-Identifier: Apache-2.0
// A connected byte stream that never blocks: reads and writes are tried first, and only when the kernel has nothing
// does a task wait, holding no buffer. TLS is behind the same four calls.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>

#include "core/base/descriptor.h"
#include "proxy/net/io_result.h"
#include "proxy/net/loop.h"
#include "proxy/net/tls.h"

namespace sentinel::proxy {

enum class WaitResult { kReady, kInterrupted };

class Stream {
 public:
  /// Takes a connected, non-blocking descriptor; TCP_NODELAY is set here.
  Stream(Loop& loop, Descriptor descriptor);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// From now on the bytes are those inside TLS; first handshake() has to be done.
  void start_tls(std::shared_ptr<TlsTrust> trust, const Origin& origin);

  /// kAgain: wait_handshake(), and again.
  IoStatus handshake() { return tls_->handshake(); }

  Task<WaitResult> wait_handshake();

  /// Null: plain.
  const TlsConnection* tls() const { return tls_.get(); }

  IoResult read_some(std::span<char> room);
  IoResult write_some(std::span<const iovec> pieces);

  /// Whether a read of `bytes` into `room` has taken all there was, so that the next one would only find nothing.
  /// Inside TLS nobody can tell: a record may lie half read.
  bool drained(std::size_t bytes, std::size_t room) const { return tls_ == nullptr && bytes < room; }

  /// At most one task waits on a stream at a time. Each wait asks the kernel anew, so nothing that came before it is
  /// missed, the peer's end neither.
  Task<WaitResult> wait_readable();
  Task<WaitResult> wait_writable();
  /// Ends the current wait, or the next one when nothing waits, with kInterrupted. Deadlines and watches use it.
  void interrupt();

  /// Whether the peer has closed or broken the connection; bytes that wait to be read are no end. Doesn't consume.
  bool peer_gone();
  /// Ends our side, so that the peer reads an orderly end.
  void shutdown_write();
  /// Waits end as interrupted ones do.
  void close();
  /// Gives the descriptor back, out of the reactor's hands. Waits end as interrupted ones do.
  Descriptor release();

  Socket& socket() { return socket_; }

  Loop& loop() { return loop_; }

 private:
  Task<WaitResult> wait(Socket::wait_type what);
  Socket::wait_type direction(Socket::wait_type plain) const;

  Loop& loop_;
  Socket socket_;
  std::unique_ptr<TlsConnection> tls_;  ///< behind the socket: it says goodbye through it
  bool interrupted_ = false;
};

/// Watches a client while its answer is made: calls `gone(owner)` once when it closes or breaks the connection. A
/// client that sends its next request early is not watched further. Begins with the next tick of the worker's wheel, so
/// that an answer that is there at once costs no watch.
class PeerWatch {
 public:
  using Gone = void (*)(void* owner);

  PeerWatch(Stream& stream, Gone gone, void* owner);
  ~PeerWatch();
  PeerWatch(const PeerWatch&) = delete;
  PeerWatch& operator=(const PeerWatch&) = delete;

 private:
  struct State;
  void begin();

  Stream& stream_;
  Gone gone_;
  void* owner_;
  Deadline beginning_;
  std::shared_ptr<State> state_;  ///< null: not begun
};

}  // namespace sentinel::proxy
