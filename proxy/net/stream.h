// SPDX-License-Identifier: Apache-2.0
// A connected byte stream that never blocks: reads and writes are tried first, and only when the kernel has nothing
// does a task wait, holding no buffer. TLS is behind the same four calls.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "core/base/descriptor.h"
#include "proxy/net/io_result.h"
#include "proxy/net/loop.h"
#include "proxy/net/suspension.h"
#include "proxy/net/tls.h"

namespace sentinel::proxy {

enum class WaitResult { kReady, kInterrupted };

class PeerWatch;
class StreamWait;

class Stream final : private EventListener {
 public:
  /// Takes a connected, connecting or listening, non-blocking descriptor; TCP_NODELAY is set here.
  Stream(Loop& loop, Descriptor descriptor);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// From now on the bytes are those inside TLS; first handshake() has to be done.
  void start_tls(std::shared_ptr<TlsTrust> trust, const Origin& origin);

  /// kAgain: wait_handshake(), and again.
  IoStatus handshake();

  StreamWait wait_handshake();

  /// Null: plain.
  const TlsConnection* tls() const { return tls_.get(); }

  IoResult read_some(std::span<char> room);
  IoResult write_some(std::span<const iovec> pieces);

  /// Whether there may be something to read. False: a read would find nothing, wait.
  bool may_read() const { return readable_ || ended_; }

  /// Tells that somebody else has tried the descriptor for reading (or accepting) and found nothing.
  void found_nothing() { readable_ = false; }

  /// At most one task waits on a stream at a time; what happened before the wait ends it at once.
  StreamWait wait_readable();
  StreamWait wait_writable();
  /// Ends the current wait, or the next one when nothing waits, with kInterrupted. Deadlines and watches use it.
  void interrupt();

  /// Whether the peer has closed or broken the connection; bytes that wait to be read are no end. Doesn't consume.
  bool peer_gone();
  /// Ends our side, so that the peer reads an orderly end.
  void shutdown_write();
  /// Waits end as interrupted ones do.
  void close();
  /// Closes at once: what waits to be sent is thrown away, and the peer hears of a reset. For peers that don't read,
  /// whose share the kernel would keep otherwise.
  void reset();
  /// Gives the descriptor back, unwatched. Waits end as interrupted ones do.
  Descriptor release();

  int descriptor() const { return descriptor_.get(); }

  Loop& loop() { return loop_; }

 private:
  friend class PeerWatch;
  friend class StreamWait;

  void happened(std::uint32_t events) override;

  /// Whether there is something to try again, for reading or for writing.
  bool may_try(bool reading) const { return reading ? may_read() : writable_ || ended_; }

  IoResult tried(IoResult result, bool reading);
  bool reads_next(bool plain) const;

  Loop& loop_;
  Descriptor descriptor_;
  std::unique_ptr<TlsConnection> tls_;  ///< behind the descriptor: it says goodbye through it
  Suspension standing_;
  PeerWatch* watch_ = nullptr;
  bool reading_ = false;  ///< what the standing task waits for
  bool readable_ = false;
  bool writable_ = false;
  bool ended_ = false;  ///< the peer's end or a failure was heard of: reads tell, and never wait
  bool interrupted_ = false;
};

/// A wait on a stream, for co_await; no task of its own.
class StreamWait {
 public:
  StreamWait(Stream& stream, bool reading) : stream_(stream), reading_(reading) {}

  bool await_ready() const { return stream_.interrupted_ || stream_.may_try(reading_) || !stream_.descriptor_.valid(); }

  void await_suspend(std::coroutine_handle<> task) {
    stream_.reading_ = reading_;
    stream_.standing_.await_suspend(task);
  }

  WaitResult await_resume() {
    const bool was = std::exchange(stream_.interrupted_, false);
    return was || !stream_.descriptor_.valid() ? WaitResult::kInterrupted : WaitResult::kReady;
  }

 private:
  Stream& stream_;
  bool reading_;
};

/// Watches a client while its answer is made: calls `gone(owner)` once when it closes or breaks the connection. A
/// client that sends its next request early is not watched further. Of one that has left already `gone` is told at
/// once, within the constructor.
class PeerWatch {
 public:
  using Gone = void (*)(void* owner);

  PeerWatch(Stream& stream, Gone gone, void* owner);
  ~PeerWatch();
  PeerWatch(const PeerWatch&) = delete;
  PeerWatch& operator=(const PeerWatch&) = delete;

 private:
  friend class Stream;
  void look();

  Stream& stream_;
  Gone gone_;
  void* owner_;
};

}  // namespace sentinel::proxy
