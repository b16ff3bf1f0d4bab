// SPDX-License-Identifier: Apache-2.0
#include "proxy/cache/cache_key.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/base/digest.h"
#include "proxy/json/cursor.h"

namespace sentinel::proxy {
namespace {

// `stream` and its options are in the question's own members. The others name who asks and where it is accounted.
constexpr std::array<std::string_view, 7> kShapeless{
    "stream", "stream_options", "user", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"};

void add(std::string& text, std::string_view part) {
  // With its length, so that parts can't run into each other.
  text.append(std::to_string(part.size())).append(":").append(part);
}

}  // namespace

std::optional<CacheKey> cache_key(const CacheQuestion& question) {
  std::vector<std::pair<std::string, std::string_view>> members;
  JsonCursor cursor(question.body);
  if (!cursor.enter_object()) return std::nullopt;
  std::string_view key;
  while (cursor.next_member(key)) {
    std::optional<std::string> name = json_string(std::string("\"").append(key).append("\""));
    const std::string_view value = cursor.text(cursor.take());
    if (!name) return std::nullopt;
    if (std::find(kShapeless.begin(), kShapeless.end(), *name) == kShapeless.end()) {
      members.emplace_back(std::move(*name), value);
    }
  }
  if (!cursor.at_end()) return std::nullopt;
  std::sort(members.begin(), members.end());
  const auto twice = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::adjacent_find(members.begin(), members.end(), twice) != members.end()) return std::nullopt;

  std::string text;
  text.reserve(question.body.size() + 256);
  add(text, question.user);
  add(text, question.endpoint);
  add(text, question.streamed ? question.with_usage ? "stream, usage" : "stream" : "whole");
  for (const auto& [name, value] : members) {
    add(text, name);
    add(text, value);
  }
  return sha256_hex(text);
}

}  // namespace sentinel::proxy
