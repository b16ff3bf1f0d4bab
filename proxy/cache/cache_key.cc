// SPDX-License-Identifier: Apache-2.0
#include "proxy/cache/cache_key.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "core/base/digest.h"
#include "proxy/json/cursor.h"

namespace sentinel::proxy {
namespace {

// The first is about the answer's form, the others about who asks and where it is accounted.
constexpr std::array<std::string_view, 6> kShapeless{
    "stream", "user", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"};

// What an answer of an endpoint that names state may be made of beside the body. Tools of the upstream look elsewhere.
constexpr std::array<std::string_view, 5> kElsewhere{"previous_response_id", "conversation", "prompt", "background",
                                                     "tools"};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether a member can't shape what the answer says. `stream_options` can't as long as they only ask for usage.
bool is_shapeless(std::string_view name, std::string_view value) {
  if (is_one_of(kShapeless, name)) return true;
  if (name != "stream_options") return false;
  JsonCursor options(value);
  if (options.kind() == JsonKind::kNull) return true;
  if (!options.enter_object()) return false;
  std::string_view key;
  while (options.next_member(key)) {
    if (!json_key_is(key, "include_usage")) return false;
    options.take();
  }
  return true;
}

void add(std::string& text, std::string_view part) {
  // With its length, so that parts can't run into each other.
  text.append(std::to_string(part.size())).append(":").append(part);
}

}  // namespace

std::optional<CacheKey> cache_key(const CacheQuestion& question) {
  std::vector<std::pair<std::string, std::string_view>> members;
  JsonCursor cursor(question.body);
  if (!cursor.enter_object()) return std::nullopt;
  bool kept_there = question.names_state;
  std::string_view key;
  while (cursor.next_member(key)) {
    std::optional<std::string> name = json_string(std::string("\"").append(key).append("\""));
    const std::string_view value = cursor.text(cursor.take());
    if (!name) return std::nullopt;
    if (question.names_state && is_one_of(kElsewhere, *name) && value != "null") return std::nullopt;
    kept_there = kept_there && !(*name == "store" && value == "false");
    const bool repeated = question.names_state && *name != "stream";
    if (repeated || !is_shapeless(*name, value)) members.emplace_back(std::move(*name), value);
  }
  if (!cursor.at_end() || kept_there) return std::nullopt;
  std::sort(members.begin(), members.end());
  const auto twice = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::adjacent_find(members.begin(), members.end(), twice) != members.end()) return std::nullopt;

  std::string text;
  text.reserve(question.body.size() + 256);
  add(text, question.user);
  add(text, question.endpoint);
  for (const auto& [name, value] : members) {
    add(text, name);
    add(text, value);
  }
  return sha256_hex(text);
}

}  // namespace sentinel::proxy
