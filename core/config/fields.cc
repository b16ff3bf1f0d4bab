// SPDX-License-Identifier: Apache-2.0
// See the header: lenient by design, because checking came first.
#include "core/config/fields.h"

#include "core/config/scalar_types.h"

namespace sentinel {

std::string text_field(const Node& node, std::string_view key, std::string fallback) {
  const Node* value = node.find(key);
  return value != nullptr && value->is_scalar() ? value->text : fallback;
}

std::int64_t int_field(const Node& node, std::string_view key, std::int64_t fallback) {
  const Node* value = node.find(key);
  if (value == nullptr || !value->is_scalar()) return fallback;
  // A rendered value may be a quoted number.
  Node plain = *value;
  plain.style = Node::Style::kPlain;
  const Value number = to_value(plain);
  return number.is_number_integer() ? number.get<std::int64_t>() : fallback;
}

bool bool_field(const Node& node, std::string_view key, bool fallback) {
  const Node* value = node.find(key);
  return value != nullptr && value->is_scalar() ? parse_bool(*value) : fallback;
}

std::vector<std::string> texts_of(const Node& node) {
  std::vector<std::string> out;
  if (node.is_scalar()) out.push_back(node.text);
  for (const auto& item : node.items) {
    if (item.is_scalar()) out.push_back(item.text);
  }
  return out;
}

std::vector<std::string> list_field(const Node& node, std::string_view key) {
  const Node* value = node.find(key);
  return value == nullptr ? std::vector<std::string>() : texts_of(*value);
}

Node mapping_field(const Node& node, std::string_view key) {
  const Node* value = node.find(key);
  return value != nullptr && value->is_mapping() ? *value : mapping_node();
}

Node text_node(std::string text) {
  Node out;
  out.kind = Node::Kind::kScalar;
  out.style = Node::Style::kQuoted;
  out.text = std::move(text);
  return out;
}

Node mapping_node() {
  Node out;
  out.kind = Node::Kind::kMapping;
  return out;
}

}  // namespace sentinel
