// SPDX-License-Identifier: Apache-2.0
// Takes the framing off a body, in place: of the bytes given it moves those of the body to the front. Chunk lines are
// as strict as heads: plain hexadecimal sizes, CRLF only, bounded extensions, trailers checked and dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "proxy/net/http_head.h"

namespace sentinel::proxy {

enum class BodyStatus { kMore, kComplete, kBad };

struct BodyResult {
  BodyStatus status;
  std::size_t body = 0;      ///< bytes of the body, now at the front
  std::size_t consumed = 0;  ///< bytes taken in; what follows a complete body belongs to the next message
};

class BodyDecoder {
 public:
  BodyDecoder() = default;
  BodyDecoder(BodyFraming framing, std::uint64_t length);

  /// When complete before all was consumed, the bytes behind are still at data + consumed.
  BodyResult decode(char* data, std::size_t size);

  /// The peer has closed: whether that is an orderly end of this body.
  bool ends_with_close() const { return framing_ == BodyFraming::kUntilClose || complete(); }

  bool complete() const { return state_ == State::kDone; }

 private:
  enum class State {
    kSize,
    kExtension,
    kSizeEnd,
    kData,
    kDataReturn,
    kDataEnd,
    kTrailer,
    kTrailerEnd,
    kFinalEnd,
    kDone,
    kBad
  };
  BodyResult decode_chunked(char* data, std::size_t size);
  /// One byte of framing.
  State framing_byte(char byte);

  BodyFraming framing_ = BodyFraming::kNone;
  State state_ = State::kDone;
  std::uint64_t left_ = 0;    ///< of the body, or of the chunk
  std::uint32_t digits_ = 0;  ///< of the chunk size
  std::uint32_t line_ = 0;    ///< bytes of extensions or trailers so far
  bool line_empty_ = true;    ///< the trailer line so far
};

}  // namespace sentinel::proxy
