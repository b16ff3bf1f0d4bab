// SPDX-License-Identifier: Apache-2.0
// What goes out on a stream: pieces that are valid now are handed to the kernel in one call; only what it doesn't take
// is copied, and waits. That copy is the whole memory a slow reader costs, since nobody reads on before it is gone.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "proxy/net/buffer.h"
#include "proxy/net/stream.h"

namespace sentinel::proxy {

/// How long a peer may take over what waits for it.
struct WritePatience {
  std::chrono::milliseconds idle{60'000};   ///< without taking a byte
  std::chrono::milliseconds grace{60'000};  ///< its waits together,
  std::size_t rate = 256;                   ///< of which each so many bytes that it takes make a second good
};

enum class FlushEnd { kDone, kFailed, kTooSlow };

class Output {
 public:
  explicit Output(Stream& stream) : stream_(stream) {}

  /// Queues bytes for the next send_now(); they must stay valid until then.
  void add(std::string_view bytes) {
    if (!bytes.empty()) pieces_.push_back({const_cast<char*>(bytes.data()), bytes.size()});
  }

  /// kDone: all is with the kernel. kAgain: the rest is kept, flush() it. kFailed: the peer is gone.
  IoStatus send_now();

  bool pending() const { return !kept_.empty(); }

  /// Waits until what is kept has gone. Only the time in which something is kept counts against the peer, over all
  /// flushes. kFailed also when interrupted by `stop` being set.
  Task<FlushEnd> flush(WritePatience patience, const bool& stop);

  std::uint64_t bytes_sent() const { return sent_; }

 private:
  Stream& stream_;
  std::vector<iovec> pieces_;
  Buffer kept_;
  std::uint64_t sent_ = 0;
  std::uint64_t counted_ = 0;           ///< of them, how many have made waits good
  std::chrono::milliseconds waited_{};  ///< for the peer, and not made good
};

/// A deadline that interrupts a stream's wait and remembers that it did.
class StreamDeadline {
 public:
  explicit StreamDeadline(Stream& stream)
      : stream_(stream),
        deadline_(
            stream.loop().deadlines(), [](void* self) { static_cast<StreamDeadline*>(self)->fire(); }, this) {}

  void arm(std::chrono::milliseconds after) {
    expired_ = false;
    deadline_.arm(after);
  }

  void disarm() {
    expired_ = false;
    deadline_.disarm();
  }

  bool expired() const { return expired_; }

 private:
  void fire() {
    expired_ = true;
    stream_.interrupt();
  }

  Stream& stream_;
  bool expired_ = false;
  Deadline deadline_;
};

}  // namespace sentinel::proxy
