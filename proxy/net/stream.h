// SPDX-License-Identifier: Apache-2.0
// A connected byte stream that never blocks: reads and writes are tried first, and only when the kernel has nothing
// does a task wait, holding no buffer. TLS plugs in here, behind the same four calls (SSL_read and SSL_write on the
// descriptor).
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>

#include "core/base/descriptor.h"
#include "proxy/net/loop.h"

namespace sentinel::proxy {

enum class IoStatus {
  kDone,    ///< some bytes moved
  kAgain,   ///< nothing now: wait
  kEnd,     ///< the peer has ended its side in order
  kFailed,  ///< reset, or any other error
};

struct IoResult {
  IoStatus status;
  std::size_t bytes = 0;
};

enum class WaitResult { kReady, kInterrupted };

class Stream {
 public:
  /// Takes a connected, non-blocking descriptor; TCP_NODELAY is set here.
  Stream(Loop& loop, Descriptor descriptor);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  IoResult read_some(std::span<char> room);
  IoResult write_some(std::span<const iovec> pieces);

  /// At most one task waits on a stream at a time.
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

  Socket& socket() { return socket_; }

  Loop& loop() { return loop_; }

 private:
  Task<WaitResult> wait(Socket::wait_type what);

  Loop& loop_;
  Socket socket_;
  bool interrupted_ = false;
};

/// Watches a client while its answer is made: calls `gone(owner)` once when it closes or breaks the connection. A
/// client that sends its next request early is not watched further.
class PeerWatch {
 public:
  using Gone = void (*)(void* owner);

  PeerWatch(Stream& stream, Gone gone, void* owner);
  ~PeerWatch();
  PeerWatch(const PeerWatch&) = delete;
  PeerWatch& operator=(const PeerWatch&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace sentinel::proxy
