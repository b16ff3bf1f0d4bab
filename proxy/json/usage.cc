// SPDX-License-Identifier: Apache-2.0
#include "proxy/json/usage.h"

#include "proxy/json/cursor.h"

namespace sentinel::proxy {
namespace {

/// A string's bytes, or those of the text within an object: {"content": "…"}, {"message": {"content": "…"}}.
std::size_t text_bytes(JsonCursor& cursor, int depth) {
  if (cursor.kind() == JsonKind::kString) return cursor.take().size - 2;
  if (cursor.kind() != JsonKind::kObject || depth == 0) {
    cursor.take();
    return 0;
  }
  std::size_t bytes = 0;
  cursor.enter_object();
  std::string_view key;
  while (cursor.next_member(key)) {
    if (key == "content" || key == "text" || key == "delta" || key == "message" || key == "refusal" ||
        key == "reasoning_content") {
      bytes += text_bytes(cursor, depth - 1);
    } else {
      cursor.take();
    }
  }
  return bytes;
}

void read_choices(JsonCursor& cursor, AnswerFacts& facts) {
  facts.has_choices = true;
  if (cursor.kind() != JsonKind::kArray) {
    cursor.take();
    return;
  }
  facts.choices_empty = true;
  cursor.enter_array();
  while (cursor.next_element()) {
    facts.choices_empty = false;
    facts.text_bytes += text_bytes(cursor, 3);
  }
}

void read_usage(JsonCursor& cursor, AnswerFacts& facts) {
  if (cursor.kind() != JsonKind::kObject) {
    cursor.take();
    return;
  }
  TokenCount count;
  cursor.enter_object();
  std::string_view key;
  while (cursor.next_member(key)) {
    const std::string_view raw = cursor.text(cursor.take());
    if (key == "prompt_tokens" || key == "input_tokens") count.input = json_unsigned(raw).value_or(0);
    if (key == "completion_tokens" || key == "output_tokens") count.output = json_unsigned(raw).value_or(0);
  }
  facts.usage = count;
}

void read_members(JsonCursor& cursor, AnswerFacts& facts, bool nested) {
  cursor.enter_object();
  std::string_view key;
  while (cursor.next_member(key)) {
    if (key == "usage") {
      read_usage(cursor, facts);
    } else if (key == "choices") {
      read_choices(cursor, facts);
    } else if (key == "delta") {
      facts.text_bytes += text_bytes(cursor, 2);
    } else if (key == "response" && !nested && cursor.kind() == JsonKind::kObject) {
      read_members(cursor, facts, true);
    } else if (key == "error") {
      facts.has_error = facts.has_error || cursor.kind() != JsonKind::kNull;
      cursor.take();
    } else {
      cursor.take();
    }
  }
}

}  // namespace

AnswerFacts read_answer(std::string_view json) {
  AnswerFacts facts;
  JsonCursor cursor(json);
  if (cursor.kind() != JsonKind::kObject) return facts;
  read_members(cursor, facts, false);
  facts.valid = cursor.at_end();
  return facts;
}

}  // namespace sentinel::proxy
