// SPDX-License-Identifier: Apache-2.0
// Texts without template syntax are kept as they are, so `0644` stays four digits.
#include "core/config/render_node.h"

namespace sentinel {
namespace {

Node at_place(const Node& place) {
  Node out;
  out.source = place.source;
  out.line = place.line;
  out.column = place.column;
  out.length = place.length;
  return out;
}

}  // namespace

RenderOptions RenderContext::options(const Node& node) const {
  RenderOptions out;
  out.origin = node.origin();
  out.includes = files;
  out.secrets = secrets;
  return out;
}

Node node_of(const Value& value, const Node& place) {
  Node out = at_place(place);
  if (value.is_null()) return out;
  if (value.is_array()) {
    out.kind = Node::Kind::kSequence;
    for (const auto& item : value) out.items.push_back(node_of(item, place));
    return out;
  }
  if (value.is_object()) {
    out.kind = Node::Kind::kMapping;
    for (const auto& [name, item] : value.items()) {
      Node key = at_place(place);
      key.kind = Node::Kind::kScalar;
      key.text = name;
      out.entries.push_back({std::move(key), node_of(item, place)});
    }
    return out;
  }
  out.kind = Node::Kind::kScalar;
  out.text = value.is_string() ? value.get<std::string>() : value.dump();
  if (value.is_string()) out.style = Node::Style::kQuoted;
  return out;
}

std::optional<Node> render_node(const Node& node, const Value& variables, const RenderContext& context,
                                const std::string& doing, Diagnostics& diagnostics) {
  if (node.is_scalar()) {
    if (!has_template_syntax(node.text)) return node;
    auto value = render_value(node.text, variables, context.options(node));
    if (value.ok()) return node_of(*value, node);
    diagnostics.add(std::move(value).error().during(doing));
    return {};
  }
  Node out = node;
  bool complete = true;
  for (auto& item : out.items) {
    auto rendered = render_node(item, variables, context, doing, diagnostics);
    complete = complete && rendered.has_value();
    if (rendered) item = std::move(*rendered);
  }
  out.entries.clear();
  for (const auto& entry : node.entries) {
    auto rendered = render_node(entry.value, variables, context, doing, diagnostics);
    complete = complete && rendered.has_value();
    if (!rendered || (rendered->is_null() && !entry.value.is_null())) continue;
    out.entries.push_back({entry.key, std::move(*rendered)});
  }
  if (!complete) return {};
  return out;
}

}  // namespace sentinel
