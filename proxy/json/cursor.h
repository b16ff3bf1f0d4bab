// SPDX-License-Identifier: Apache-2.0
// A strict reader that walks JSON where it lies and knows the byte offsets of everything, so that a body can be judged
// and edited without being rebuilt. It checks all it walks over (docs/decisions/010-own-json-cursor.md says why it is
// ours); only whether bytes from 0x80 up are UTF-8 is left to whoever interprets the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sentinel::proxy {

enum class JsonKind { kObject, kArray, kString, kNumber, kTrue, kFalse, kNull, kBad };

/// A value's raw bytes within the text.
struct JsonSpan {
  std::size_t offset = 0;
  std::size_t size = 0;
};

class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_(text) {}

  /// What the next value is, by its first byte. Blanks before it are passed.
  JsonKind kind();
  /// Steps into an object or an array; false when the next value is none.
  bool enter_object();
  bool enter_array();
  /// The next member's key, as written between its quotes; then its value must be taken. False at the end of the
  /// object, which is then left, or when the text is bad.
  bool next_member(std::string_view& key);
  /// Whether another element follows; then it must be taken.
  bool next_element();
  /// Takes the next value whole. Empty when the text is bad.
  JsonSpan take();

  std::string_view text(JsonSpan span) const { return text_.substr(span.offset, span.size); }

  /// Nothing but blanks is left, and nothing was bad.
  bool at_end();

  bool bad() const { return bad_; }

  /// Where reading has come to; behind a failure, about where it is.
  std::size_t offset() const { return at_; }

 private:
  void skip_blanks();
  bool fail();
  bool take_string();
  bool take_number();
  bool take_word(std::string_view word);
  bool take_value(int depth);
  bool take_object(int depth);
  bool take_array(int depth);

  std::string_view text_;
  std::size_t at_ = 0;
  bool first_ = false;  ///< nothing of the object or array just entered was taken yet
  bool bad_ = false;
};

/// Whether a key as written (escapes and all) is `name`.
bool json_key_is(std::string_view key, std::string_view name);
/// The text of a string given with its quotes; nothing when it is none, or holds a lone surrogate.
std::optional<std::string> json_string(std::string_view raw);
/// A whole number that is not negative; nothing otherwise.
std::optional<std::uint64_t> json_unsigned(std::string_view raw);
/// `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string json_quoted(std::string_view text);

}  // namespace sentinel::proxy
