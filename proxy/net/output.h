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

  /// Waits until what is kept has gone, each time at most `idle` for some progress. False: failed, too slow, or
  /// interrupted by `stop` being set.
  Task<bool> flush(std::chrono::milliseconds idle, const bool& stop);

  std::uint64_t bytes_sent() const { return sent_; }

 private:
  Stream& stream_;
  std::vector<iovec> pieces_;
  Buffer kept_;
  std::uint64_t sent_ = 0;
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

  void disarm() { deadline_.disarm(); }

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
