// SPDX-License-Identifier: Apache-2.0
// Reading of schemas. The reference files are ours, so a mistake in one is found by a test, never by a user.
#include "core/config/schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/config/scalar_types.h"

namespace sentinel {
namespace {

Error broken(const Node& node, std::string message) {
  return Error("reference.malformed", std::move(message)).at(node.position());
}

std::vector<std::string> texts(const Node& node) {
  std::vector<std::string> out;
  for (const auto& item : node.items) out.push_back(item.text);
  return out;
}

std::vector<std::vector<std::string>> groups(const Node& node) {
  std::vector<std::vector<std::string>> out;
  for (const auto& item : node.items) out.push_back(texts(item));
  return out;
}

Result<void> read_keys(const Node& node, Schema& out) {
  for (const auto& entry : node.entries) {
    SENTINEL_TRY(Schema key, read_schema(entry.value));
    out.keys.emplace_back(entry.key.text, std::move(key));
  }
  return {};
}

Result<void> read_field(const Node::Entry& entry, Schema& out) {
  const auto& [key, value] = entry;
  if (key.text == "type")
    out.type = value.text;
  else if (key.text == "doc")
    out.doc = value.text;
  else if (key.text == "required")
    out.required = parse_bool(value);
  else if (key.text == "default")
    out.default_value = value;
  else if (key.text == "example")
    out.example = value.text;
  else if (key.text == "one_of")
    out.one_of = texts(value);
  else if (key.text == "min")
    out.min = parse_int(value);
  else if (key.text == "max")
    out.max = parse_int(value);
  else if (key.text == "or")
    out.or_type = value.text;
  else if (key.text == "key")
    out.key_type = value.text;
  else if (key.text == "exactly_one")
    out.exactly_one = groups(value);
  else if (key.text == "at_most_one")
    out.at_most_one = groups(value);
  else if (key.text == "kinds")
    out.kinds = parse_bool(value);
  else if (key.text == "sensitive")
    out.sensitive = parse_bool(value);
  else if (key.text == "literal")
    out.literal = parse_bool(value);
  else if (key.text == "keys")
    return read_keys(value, out);
  else if (key.text == "of") {
    SENTINEL_TRY(Schema of, read_schema(value));
    out.of = std::make_shared<Schema>(std::move(of));
  } else {
    return broken(key, fmt::format("a schema has no field '{}'", key.text));
  }
  return {};
}

}  // namespace

const Schema* Schema::key(std::string_view name) const {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& entry) { return entry.first == name; });
  return found == keys.end() ? nullptr : &found->second;
}

Result<Schema> read_schema(const Node& node) {
  if (!node.is_mapping()) return broken(node, "a schema must be a mapping");
  Schema out;
  for (const auto& entry : node.entries) SENTINEL_CHECK(read_field(entry, out));
  const bool compound = out.type == "list" || out.type == "map" || out.type == "mapping";
  if (!compound && find_scalar_type(out.type) == nullptr)
    return broken(node, fmt::format("unknown type '{}'", out.type));
  if ((out.type == "list" || out.type == "map") && !out.of) return broken(node, "a list or map needs 'of'");
  if (!out.or_type.empty() && find_scalar_type(out.or_type) == nullptr)
    return broken(node, "'or' must name a scalar type");
  if (!out.key_type.empty() && find_scalar_type(out.key_type) == nullptr)
    return broken(node, "'key' must name a scalar type");
  return out;
}

Node with_defaults(const Node& node, const Schema& schema) {
  if (schema.type != "mapping" || !(node.is_mapping() || node.is_null())) return node;
  Node out = node;
  out.kind = Node::Kind::kMapping;
  for (const auto& [name, key] : schema.keys) {
    const auto found = std::find_if(out.entries.begin(), out.entries.end(),
                                    [&](const Node::Entry& entry) { return entry.key.text == name; });
    if (found != out.entries.end()) {
      found->value = with_defaults(found->value, key);
      continue;
    }
    const bool inner = key.type == "mapping" && !key.keys.empty() && !key.default_value;
    if (!key.default_value && !inner) continue;
    Node key_node = node;
    key_node.entries.clear();
    key_node.kind = Node::Kind::kScalar;
    key_node.text = name;
    Node value = key.default_value ? *key.default_value : with_defaults(Node(), key);
    out.entries.push_back({std::move(key_node), std::move(value)});
  }
  return out;
}

std::string join_path(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

}  // namespace sentinel
