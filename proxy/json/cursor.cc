// SPDX-License-Identifier: Apache-2.0
// The bytes of real bodies are mostly inside strings, so that is the loop that is wide.
#include "proxy/json/cursor.h"

#include <emmintrin.h>

#include <bit>
#include <charconv>
#include <utility>

#include "core/base/utf8.h"

namespace sentinel::proxy {
namespace {

constexpr int kDeepest = 128;

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

/// The offset of the next byte at or behind `at` that needs a look inside a string: a quote, a backslash, a control
/// byte.
std::size_t next_special(std::string_view text, std::size_t at) {
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i highest_control = _mm_set1_epi8(0x1f);
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i found = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)),
                                       _mm_cmpeq_epi8(_mm_min_epu8(block, highest_control), block));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (mask != 0) return at + static_cast<std::size_t>(std::countr_zero(mask));
  }
  while (at < text.size() && text[at] != '"' && text[at] != '\\' && static_cast<unsigned char>(text[at]) >= 0x20) ++at;
  return at;
}

std::optional<unsigned> hex4(std::string_view digits) {
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != 4 || failed != std::errc() || end != digits.data() + 4) return std::nullopt;
  return value;
}

char short_escape(char letter) {
  switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return letter;
  }
}

/// Appends the character of the \u escape whose digits begin at `at`, which moves behind it.
bool append_escaped(std::string_view raw, std::size_t& at, std::string& out) {
  const std::optional<unsigned> unit = hex4(raw.substr(at, 4));
  if (!unit || (*unit >= 0xDC00 && *unit <= 0xDFFF)) return false;
  at += 4;
  char32_t code = *unit;
  if (*unit >= 0xD800 && *unit <= 0xDBFF) {
    if (raw.substr(at, 2) != "\\u") return false;
    const std::optional<unsigned> low = hex4(raw.substr(at + 2, 4));
    if (!low || *low < 0xDC00 || *low > 0xDFFF) return false;
    at += 6;
    code = 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00);
  }
  append_code_point(out, code);
  return true;
}

}  // namespace

bool JsonCursor::fail() {
  bad_ = true;
  return false;
}

void JsonCursor::skip_blanks() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
    ++at_;
}

JsonKind JsonCursor::kind() {
  skip_blanks();
  if (bad_ || at_ >= text_.size()) return JsonKind::kBad;
  switch (text_[at_]) {
    case '{': return JsonKind::kObject;
    case '[': return JsonKind::kArray;
    case '"': return JsonKind::kString;
    case 't': return JsonKind::kTrue;
    case 'f': return JsonKind::kFalse;
    case 'n': return JsonKind::kNull;
    default: return text_[at_] == '-' || is_digit(text_[at_]) ? JsonKind::kNumber : JsonKind::kBad;
  }
}

bool JsonCursor::enter_object() {
  if (kind() != JsonKind::kObject) return fail();
  ++at_;
  first_ = true;
  return true;
}

bool JsonCursor::enter_array() {
  if (kind() != JsonKind::kArray) return fail();
  ++at_;
  first_ = true;
  return true;
}

bool JsonCursor::next_member(std::string_view& key) {
  skip_blanks();
  if (bad_ || at_ >= text_.size()) return fail();
  const bool first = std::exchange(first_, false);
  if (text_[at_] == '}') {
    ++at_;
    return false;
  }
  if (!first) {
    if (text_[at_] != ',') return fail();
    ++at_;
    skip_blanks();
  }
  const std::size_t begin = at_ + 1;
  if (!take_string()) return fail();
  key = text_.substr(begin, at_ - begin - 1);
  skip_blanks();
  if (at_ >= text_.size() || text_[at_] != ':') return fail();
  ++at_;
  return true;
}

bool JsonCursor::next_element() {
  skip_blanks();
  if (bad_ || at_ >= text_.size()) return fail();
  const bool first = std::exchange(first_, false);
  if (text_[at_] == ']') {
    ++at_;
    return false;
  }
  if (first) return true;
  if (text_[at_] != ',') return fail();
  ++at_;
  return true;
}

JsonSpan JsonCursor::take() {
  skip_blanks();
  const std::size_t begin = at_;
  if (bad_ || !take_value(0)) {
    fail();
    return {};
  }
  first_ = false;
  return {begin, at_ - begin};
}

bool JsonCursor::at_end() {
  skip_blanks();
  return !bad_ && at_ == text_.size();
}

bool JsonCursor::take_value(int depth) {
  if (depth > kDeepest) return false;
  switch (kind()) {
    case JsonKind::kObject: return take_object(depth);
    case JsonKind::kArray: return take_array(depth);
    case JsonKind::kString: return take_string();
    case JsonKind::kNumber: return take_number();
    case JsonKind::kTrue: return take_word("true");
    case JsonKind::kFalse: return take_word("false");
    case JsonKind::kNull: return take_word("null");
    case JsonKind::kBad: break;
  }
  return false;
}

bool JsonCursor::take_object(int depth) {
  ++at_;
  first_ = true;
  std::string_view key;
  while (next_member(key)) {
    if (!take_value(depth + 1)) return false;
    first_ = false;
  }
  return !bad_;
}

bool JsonCursor::take_array(int depth) {
  ++at_;
  first_ = true;
  while (next_element()) {
    if (!take_value(depth + 1)) return false;
    first_ = false;
  }
  return !bad_;
}

bool JsonCursor::take_string() {
  if (at_ >= text_.size() || text_[at_] != '"') return false;
  ++at_;
  for (;;) {
    at_ = next_special(text_, at_);
    if (at_ >= text_.size()) return false;
    const char special = text_[at_++];
    if (special == '"') return true;
    if (special != '\\' || at_ >= text_.size()) return false;
    const char escape = text_[at_++];
    if (escape == 'u') {
      if (!hex4(text_.substr(at_, 4))) return false;
      at_ += 4;
    } else if (std::string_view("\"\\/bfnrt").find(escape) == std::string_view::npos) {
      return false;
    }
  }
}

bool JsonCursor::take_number() {
  const auto digits = [&] {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > begin;
  };
  if (text_[at_] == '-') ++at_;
  const std::size_t begin = at_;
  if (!digits() || (text_[begin] == '0' && at_ - begin > 1)) return false;
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    if (!digits()) return false;
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    if (!digits()) return false;
  }
  return true;
}

bool JsonCursor::take_word(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) return false;
  at_ += word.size();
  return true;
}

bool json_key_is(std::string_view key, std::string_view name) {
  if (key.find('\\') == std::string_view::npos) return key == name;
  const std::optional<std::string> plain = json_string(std::string("\"").append(key).append("\""));
  return plain && *plain == name;
}

std::optional<std::string> json_string(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"' || raw.back() != '"') return std::nullopt;
  raw = raw.substr(1, raw.size() - 2);
  std::string out;
  out.reserve(raw.size());
  for (std::size_t at = 0; at < raw.size();) {
    if (raw[at] != '\\') {
      out.push_back(raw[at++]);
      continue;
    }
    const char escape = raw.substr(at + 1, 1).empty() ? '\0' : raw[at + 1];
    at += 2;
    if (escape != 'u') {
      out.push_back(short_escape(escape));
    } else if (!append_escaped(raw, at, out)) {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<std::uint64_t> json_unsigned(std::string_view raw) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (raw.empty() || failed != std::errc() || end != raw.data() + raw.size()) return std::nullopt;
  return value;
}

std::string json_quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  out.reserve(text.size() + 2);
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte == '"' || byte == '\\') {
      out.push_back('\\');
      out.push_back(text[at++]);
    } else if (byte < 0x20 || byte == 0x7f) {
      out.append("\\u00").push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
      ++at;
    } else if (const std::size_t size = utf8_sequence(text, at); size > 0) {
      out.append(text.substr(at, size));
      at += size;
    } else {
      out.append("\xEF\xBF\xBD");
      ++at;
    }
  }
  out.push_back('"');
  return out;
}

}  // namespace sentinel::proxy
