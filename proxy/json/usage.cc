// SPDX-License-Identifier: Apache-2.0
#include "proxy/json/usage.h"

#include <utility>

#include "proxy/json/text_size.h"

namespace sentinel::proxy {
namespace {

/// Looks for the member as it is written: inside a string its quotes would be escaped.
bool says_finished(std::string_view choice) {
  constexpr std::string_view kMember = "\"finish_reason\"";
  const std::size_t at = choice.find(kMember);
  if (at == std::string_view::npos) return false;
  const std::size_t value = choice.find_first_not_of(" \t\r\n:", at + kMember.size());
  return value != std::string_view::npos && choice[value] == '"';
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
    const std::size_t begin = cursor.offset();
    facts.text_bytes += take_text_bytes(cursor);
    if (says_finished(cursor.text({begin, cursor.offset() - begin}))) ++facts.finished;
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
  // Nothing counted is as good as nothing said.
  if (count.input != 0 || count.output != 0) facts.usage = count;
}

bool ends_stream(std::string_view type) {
  return type == "\"response.completed\"" || type == "\"response.incomplete\"" || type == "\"response.failed\"" ||
         type == "\"error\"";
}

/// Of a key's opening quote.
std::size_t offset_of(const JsonCursor& cursor, std::string_view key) {
  return static_cast<std::size_t>(key.data() - cursor.text({0, 0}).data()) - 1;
}

void read_members(JsonCursor& cursor, AnswerFacts& facts, bool nested) {
  cursor.enter_object();
  std::string_view key;
  const std::size_t begin = cursor.offset();
  std::size_t before = begin;  // where the value before this member ended
  bool cuts_comma = false;     // the first member, cut, takes the comma behind it
  while (cursor.next_member(key)) {
    if (std::exchange(cuts_comma, false)) facts.null_usage.size = offset_of(cursor, key) - facts.null_usage.offset;
    if (key == "usage" && !nested && cursor.kind() == JsonKind::kNull) {
      cuts_comma = before == begin;
      facts.null_usage.offset = cuts_comma ? offset_of(cursor, key) : before;
      cursor.take();
      facts.null_usage.size = cursor.offset() - facts.null_usage.offset;
    } else if (key == "usage") {
      read_usage(cursor, facts);
    } else if (key == "choices") {
      read_choices(cursor, facts);
    } else if (key == "delta" || (key == "output" && !nested)) {
      facts.text_bytes += take_text_bytes(cursor);
    } else if (key == "response" && !nested && cursor.kind() == JsonKind::kObject) {
      read_members(cursor, facts, true);
    } else if (key == "error") {
      facts.has_error = facts.has_error || cursor.kind() != JsonKind::kNull;
      cursor.take();
    } else {
      const JsonKind kind = cursor.kind();
      const std::string_view raw = cursor.text(cursor.take());
      if (key == "id" && !nested) facts.has_id = true;
      if (key == "data" && !nested && kind == JsonKind::kArray) facts.has_data = true;
      if (key == "type" && !nested) facts.ends_stream = ends_stream(raw);
    }
    before = cursor.offset();
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
