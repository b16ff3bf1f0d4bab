// SPDX-License-Identifier: Apache-2.0
#include "proxy/json/text_size.h"

#include <algorithm>
#include <array>

namespace sentinel::proxy {
namespace {

constexpr std::array<std::string_view, 13> kTextMembers{
    "content",       "text",     "delta",      "message", "refusal", "reasoning_content", "tool_calls", "arguments",
    "function_call", "function", "input_text", "output",  "summary"};

bool carries_text(std::string_view key) {
  return std::find(kTextMembers.begin(), kTextMembers.end(), key) != kTextMembers.end();
}

}  // namespace

std::size_t take_text_bytes(JsonCursor& cursor, int depth) {
  const JsonKind kind = cursor.kind();
  if (kind == JsonKind::kString) return cursor.take().size - 2;
  if (kind == JsonKind::kNumber) {
    cursor.take();
    return kBytesPerToken;
  }
  std::size_t bytes = 0;
  if (kind == JsonKind::kArray && depth > 0) {
    cursor.enter_array();
    while (cursor.next_element()) bytes += take_text_bytes(cursor, depth - 1);
  } else if (kind == JsonKind::kObject && depth > 0) {
    cursor.enter_object();
    std::string_view key;
    while (cursor.next_member(key)) {
      if (carries_text(key)) {
        bytes += take_text_bytes(cursor, depth - 1);
      } else {
        cursor.take();
      }
    }
  } else {
    cursor.take();
  }
  return bytes;
}

}  // namespace sentinel::proxy
