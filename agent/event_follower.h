// SPDX-License-Identifier: Apache-2.0
// Follows the event log of a transaction from a byte offset, live or after its end. The file is the truth: whatever process
// appends to it (the transaction, or the recovery after its death), the follower sees the same bytes in the same order.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/descriptor.h"
#include "core/base/result.h"

namespace sentinel::agent {

class EventFollower {
 public:
  EventFollower(std::string path, std::uint64_t offset) : path_(std::move(path)), offset_(offset) {}

  /// Whole lines that were appended since the last call; empty when there are none (or no file yet).
  Result<std::string> take();
  /// True once a result event was taken: nothing follows it.
  bool ended() const { return ended_; }

 private:
  std::string path_;
  std::uint64_t offset_;
  Descriptor file_;
  bool ended_ = false;
};

}  // namespace sentinel::agent
