// SPDX-License-Identifier: Apache-2.0
// A byte-wise automaton for the framing; runs of data are moved at once.
#include "proxy/net/body_decoder.h"

#include <algorithm>
#include <cstring>

namespace sentinel::proxy {
namespace {

constexpr std::uint32_t kMostFramingBytes = 8192;  // extensions and trailers of one body

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool is_control(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

}  // namespace

BodyDecoder::BodyDecoder(BodyFraming framing, std::uint64_t length) : framing_(framing), left_(length) {
  if (framing == BodyFraming::kChunked) {
    state_ = State::kSize;
    left_ = 0;
  } else if (framing != BodyFraming::kNone) {
    state_ = State::kData;
  }
}

BodyResult BodyDecoder::decode(char* data, std::size_t size) {
  switch (framing_) {
    case BodyFraming::kNone: return {BodyStatus::kComplete};
    case BodyFraming::kUntilClose: return {BodyStatus::kMore, size, size};
    case BodyFraming::kChunked: return decode_chunked(data, size);
    case BodyFraming::kLength: break;
  }
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, size));
  left_ -= taken;
  if (left_ == 0) state_ = State::kDone;
  return {left_ == 0 ? BodyStatus::kComplete : BodyStatus::kMore, taken, taken};
}

BodyResult BodyDecoder::decode_chunked(char* data, std::size_t size) {
  std::size_t body = 0;
  std::size_t at = 0;
  while (at < size && state_ != State::kDone && state_ != State::kBad) {
    if (state_ != State::kData) {
      state_ = framing_byte(data[at++]);
      continue;
    }
    const auto run = static_cast<std::size_t>(std::min<std::uint64_t>(left_, size - at));
    if (body != at) std::memmove(data + body, data + at, run);
    body += run;
    at += run;
    left_ -= run;
    if (left_ == 0) state_ = State::kDataReturn;
  }
  if (state_ == State::kBad) return {BodyStatus::kBad, body, at};
  return {state_ == State::kDone ? BodyStatus::kComplete : BodyStatus::kMore, body, at};
}

BodyDecoder::State BodyDecoder::framing_byte(char byte) {
  switch (state_) {
    case State::kSize: {
      if (const int value = hex_value(byte); value >= 0) {
        if (++digits_ > 15) return State::kBad;
        left_ = left_ * 16 + static_cast<std::uint64_t>(value);
        return State::kSize;
      }
      if (digits_ == 0) return State::kBad;
      if (byte == ';') return State::kExtension;
      return byte == '\r' ? State::kSizeEnd : State::kBad;
    }
    case State::kExtension:
      if (byte == '\r') return State::kSizeEnd;
      return is_control(byte) || ++line_ > kMostFramingBytes ? State::kBad : State::kExtension;
    case State::kSizeEnd:
      digits_ = 0;
      if (byte != '\n') return State::kBad;
      return left_ == 0 ? State::kTrailer : State::kData;
    case State::kDataReturn: return byte == '\r' ? State::kDataEnd : State::kBad;
    case State::kDataEnd: return byte == '\n' ? State::kSize : State::kBad;
    case State::kTrailer:
      if (byte == '\r') return line_empty_ ? State::kFinalEnd : State::kTrailerEnd;
      // A folded trailer line would begin with a blank.
      if (is_control(byte) || (line_empty_ && (byte == ' ' || byte == '\t'))) return State::kBad;
      line_empty_ = false;
      return ++line_ > kMostFramingBytes ? State::kBad : State::kTrailer;
    case State::kTrailerEnd: line_empty_ = true; return byte == '\n' ? State::kTrailer : State::kBad;
    case State::kFinalEnd: return byte == '\n' ? State::kDone : State::kBad;
    case State::kData:
    case State::kDone:
    case State::kBad: break;
  }
  return State::kBad;
}

}  // namespace sentinel::proxy
