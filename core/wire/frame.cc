// SPDX-License-Identifier: Apache-2.0
// The length is judged before the payload is waited for, so a peer can't make us reserve what it never sends.
#include "core/wire/frame.h"

#include <algorithm>

#include <fmt/format.h>

namespace sentinel {
namespace {

constexpr std::size_t kHeader = 5;

std::uint32_t read_u32(const char* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

bool is_known(std::uint8_t type) { return (type >= 1 && type <= 10) || (type >= 16 && type <= 28); }

std::string encode_frame(FrameType type, std::string_view payload) {
  std::string out;
  out.reserve(kHeader + payload.size());
  const auto size = static_cast<std::uint32_t>(payload.size());
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(size >> shift & 0xff);
  out += static_cast<char>(type);
  out += payload;
  return out;
}

Result<bool> FrameReader::pass_preamble() {
  const auto found = buffer_.find(kPreamble);
  if (found == std::string::npos) {
    if (buffer_.size() > kMaxNoise + kPreamble.size()) {
      return Error("wire.noise", "the host's login shell prints without end where the agent should speak",
                   "log in by hand and see what it prints before any command");
    }
    return false;
  }
  noise_ = buffer_.substr(0, found);
  start_ = found + kPreamble.size();
  in_preamble_ = false;
  return true;
}

Result<std::optional<Frame>> FrameReader::next() {
  if (in_preamble_) {
    SENTINEL_TRY(const bool passed, pass_preamble());
    if (!passed) return std::optional<Frame>();
  }
  const std::size_t available = buffer_.size() - start_;
  if (available < kHeader) return std::optional<Frame>();
  const std::uint32_t size = read_u32(buffer_.data() + start_);
  const auto type = static_cast<std::uint8_t>(buffer_[start_ + 4]);
  if (size > kMaxPayload) {
    return Error("wire.oversized", fmt::format("a frame of {} bytes was announced; {} are allowed", size, kMaxPayload));
  }
  if (!is_known(type)) return Error("wire.unknown-type", fmt::format("a frame of unknown type {} arrived", type));
  if (available < kHeader + size) return std::optional<Frame>();
  Frame frame{static_cast<FrameType>(type), buffer_.substr(start_ + kHeader, size)};
  start_ += kHeader + size;
  if (start_ == buffer_.size()) {
    buffer_.clear();
    start_ = 0;
  } else if (start_ > kContentChunk) {
    buffer_.erase(0, start_);
    start_ = 0;
  }
  return std::optional<Frame>(std::move(frame));
}

std::string FrameReader::take_rest() {
  std::string rest = buffer_.substr(start_);
  buffer_.clear();
  start_ = 0;
  return rest;
}

}  // namespace sentinel
