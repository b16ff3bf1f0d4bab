// SPDX-License-Identifier: Apache-2.0
// Server-sent events, looked at without touching their bytes: cuts what arrives at the ends of events (blank lines;
// lines end by LF, CR or CRLF). Every byte comes out again, in order, in exactly one raw().
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/net/buffer.h"

namespace sentinel::proxy {

struct SseEvent {
  std::string_view raw;   ///< all bytes of the event, its blank line included
  std::string_view data;  ///< of its data lines, joined by LF; empty for comments
  bool tail = false;      ///< not an event, but the LF of a CRLF that ended the one before
};

class SseReader {
 public:
  /// An event longer than `most` is not looked at: oversized() turns true, and from then on bytes only pass.
  explicit SseReader(std::size_t most = std::size_t{1} << 20) : most_(most) {}

  /// The events that end within `bytes`. Views are valid until the next call, as long as `bytes` are.
  const std::vector<SseEvent>& feed(std::string_view bytes);

  /// What has arrived of an event that hasn't ended; it comes again as the head of that event's raw.
  std::string_view incomplete() const { return carry_.view(); }

  /// At the end of the stream: an event that lacks its blank line, as far as it came; nothing when there is none.
  std::optional<SseEvent> finish_last();

  bool oversized() const { return oversized_; }

  bool at_boundary() const { return carry_.empty(); }

 private:
  void finish(std::string_view raw);
  /// Hands out the incomplete bytes for good.
  std::string_view take_incomplete();

  std::size_t most_;
  Buffer carry_;  ///< the incomplete event
  Buffer taken_;  ///< keeps the bytes of a carried event alive until the next call
  Buffer given_;  ///< the same for what was handed out incomplete
  std::vector<SseEvent> events_;
  std::list<std::string> joined_;  ///< texts of events with several data lines
  bool first_ = true;              ///< no event has ended yet: a byte order mark may stand before it
  bool line_empty_ = true;
  bool after_return_ = false;  ///< the last byte was a CR: an LF now belongs to it
  bool oversized_ = false;
};

}  // namespace sentinel::proxy
