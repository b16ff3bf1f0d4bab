// SPDX-License-Identifier: Apache-2.0
// What both directions of answer_form.h read JSON with: raw values, in order, and nothing passed over unseen.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/json/cursor.h"

namespace sentinel::proxy {

/// Members of an answer as written, but for `choices`, `usage` and `object`.
using AnswerHead = std::vector<std::pair<std::string_view, std::string>>;

/// They are the same in every event of a stream.
inline constexpr std::array<std::string_view, 5> kHeadMembers{"id", "created", "model", "system_fingerprint",
                                                              "service_tier"};
/// Of a message: pieces of text in a stream's deltas, put together by their order.
inline constexpr std::array<std::string_view, 4> kTextMembers{"content", "refusal", "reasoning_content", "reasoning"};

template <std::size_t kCount>
bool is_one_of(const std::array<std::string_view, kCount>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Calls `take(key)` for each member; it takes the value, or returns false to give up. False: given up, or bad text.
template <typename Take>
bool each_member(JsonCursor& cursor, Take take) {
  if (!cursor.enter_object()) return false;
  std::string_view key;
  while (cursor.next_member(key)) {
    if (!take(key)) return false;
  }
  return !cursor.bad();
}

template <typename Take>
bool each_element(JsonCursor& cursor, Take take) {
  if (!cursor.enter_array()) return false;
  while (cursor.next_element()) {
    if (!take()) return false;
  }
  return !cursor.bad();
}

/// A null says nothing, whatever its name; anything else can't be passed over.
inline bool take_null(JsonCursor& cursor) {
  if (cursor.kind() != JsonKind::kNull) return false;
  cursor.take();
  return true;
}

/// A string with its quotes; empty when it is none, and then not taken.
inline std::string_view take_string(JsonCursor& cursor) {
  return cursor.kind() == JsonKind::kString ? cursor.text(cursor.take()) : std::string_view();
}

/// Scalars only: they hold no line end, which would break an event.
inline bool take_scalar(JsonCursor& cursor, std::string& into) {
  const JsonKind kind = cursor.kind();
  if (kind == JsonKind::kObject || kind == JsonKind::kArray || kind == JsonKind::kBad) return false;
  into = cursor.text(cursor.take());
  return true;
}

/// Keeps the first value of each.
inline bool take_head_member(JsonCursor& cursor, std::string_view key, AnswerHead& head) {
  std::string value;
  if (!take_scalar(cursor, value)) return false;
  const bool seen = std::any_of(head.begin(), head.end(), [&](const auto& member) { return member.first == key; });
  const auto* const name = std::find(kHeadMembers.begin(), kHeadMembers.end(), key);
  if (!seen) head.emplace_back(*name, std::move(value));
  return true;
}

/// `{"object":…,"id":…,`: up to where the other members begin. `object` with its quotes.
inline std::string answer_begin(const AnswerHead& head, std::string_view object) {
  std::string out("{\"object\":");
  out.append(object).push_back(',');
  for (const auto& [name, value] : head) out.append("\"").append(name).append("\":").append(value).append(",");
  return out;
}

}  // namespace sentinel::proxy
