// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/sse_reader.h"

#include <emmintrin.h>

#include <bit>

namespace sentinel::proxy {
namespace {

/// The next end of a line at or behind `at`, or the size.
std::size_t line_end(std::string_view bytes, std::size_t at) {
  const __m128i feed = _mm_set1_epi8('\n');
  const __m128i carriage_return = _mm_set1_epi8('\r');
  for (; at + 16 <= bytes.size(); at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.data() + at));
    const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(block, feed), _mm_cmpeq_epi8(block, carriage_return));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (mask != 0) return at + static_cast<std::size_t>(std::countr_zero(mask));
  }
  while (at < bytes.size() && bytes[at] != '\n' && bytes[at] != '\r') ++at;
  return at;
}

}  // namespace

const std::vector<SseEvent>& SseReader::feed(std::string_view bytes) {
  events_.clear();
  joined_.clear();
  taken_.release();
  given_.release();
  if (oversized_) {
    if (!bytes.empty()) events_.push_back({bytes, {}});
    return events_;
  }
  std::size_t begin = 0;  // of the event under way, within `bytes`
  std::size_t at = 0;
  while (at < bytes.size()) {
    const bool paired = std::exchange(after_return_, false) && bytes[at] == '\n';
    if (paired) {
      // The second half of a CRLF. After an event that ended with its CR it is a piece of its own.
      ++at;
      if (carry_.empty() && begin == at - 1) {
        events_.push_back({bytes.substr(begin, 1), {}, true});
        begin = at;
      }
      continue;
    }
    const std::size_t end = line_end(bytes, at);
    if (end > at) line_empty_ = false;
    if (end == bytes.size()) break;
    const bool blank = std::exchange(line_empty_, true);
    at = end + 1;
    if (bytes[end] == '\r') {
      if (at < bytes.size() && bytes[at] == '\n') {
        ++at;
      } else {
        after_return_ = true;
      }
    }
    if (!blank) continue;
    if (carry_.empty()) {
      finish(bytes.substr(begin, at - begin));
    } else {
      carry_.append(bytes.substr(begin, at - begin));
      taken_ = std::move(carry_);
      carry_.release();
      finish(taken_.view());
    }
    begin = at;
  }
  carry_.append(bytes.substr(begin));
  if (carry_.size() > most_) {
    oversized_ = true;
    events_.push_back({take_incomplete(), {}});
  }
  return events_;
}

std::string_view SseReader::take_incomplete() {
  given_ = std::move(carry_);
  carry_.release();
  return given_.view();
}

std::optional<SseEvent> SseReader::finish_last() {
  if (carry_.empty()) return std::nullopt;
  events_.clear();
  joined_.clear();
  finish(take_incomplete());
  return events_.front();
}

void SseReader::finish(std::string_view raw) {
  std::string_view data;
  std::string* joined = nullptr;
  const bool marked = std::exchange(first_, false) && raw.starts_with("\xEF\xBB\xBF");
  for (std::size_t at = marked ? 3 : 0; at < raw.size();) {
    const std::size_t end = line_end(raw, at);
    std::string_view line = raw.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with("data")) continue;
    line.remove_prefix(4);
    if (!line.empty()) {
      if (line.front() != ':') continue;
      line.remove_prefix(1);
      if (line.starts_with(' ')) line.remove_prefix(1);
    }
    if (data.data() == nullptr) {
      data = line;
      continue;
    }
    if (joined == nullptr) joined = &joined_.emplace_back(data);
    joined->append("\n").append(line);
    data = *joined;
  }
  events_.push_back({raw, data});
}

}  // namespace sentinel::proxy
