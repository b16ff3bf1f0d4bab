// SPDX-License-Identifier: Apache-2.0
// What can be asked of a positioned node: its place, its value, its description.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/config/yaml.h"
#include "core/config/yaml_text.h"

namespace sentinel {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_integer(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return all_digits(text) && (text.size() == 1 || text[0] != '0');
}

bool is_float(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const auto exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    auto digits = text.substr(exponent + 1);
    if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
    if (!all_digits(digits)) return false;
    text = text.substr(0, exponent);
  }
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot);
  if (whole.size() > 1 && whole[0] == '0') return false;
  if (dot == std::string_view::npos) return exponent != std::string_view::npos && all_digits(whole);
  const auto fraction = text.substr(dot + 1);
  return (whole.empty() || all_digits(whole)) && (fraction.empty() || all_digits(fraction)) &&
         whole.size() + fraction.size() > 0;
}

/// Without an index of all lines: positions are taken one at a time.
std::string line_of(std::string_view text, int number) {
  for (int line = 1; line < number; ++line) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return std::string(text);
}

Value scalar_value(const Node& node) {
  const std::string& text = node.text;
  if (node.style != Node::Style::kPlain) return text;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  if (is_integer(text)) {
    std::int64_t number = 0;
    if (std::from_chars(begin, end, number).ec == std::errc()) return number;
    return text;
  }
  if (is_float(text)) {
    double number = 0;
    if (std::from_chars(begin, end, number).ec == std::errc() && std::isfinite(number)) return number;
  }
  return text;
}

}  // namespace

const Node::Entry* Node::find_entry(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key.text == key) return &entry;
  }
  return nullptr;
}

const Node* Node::find(std::string_view key) const {
  const auto* entry = find_entry(key);
  return entry == nullptr ? nullptr : &entry->value;
}

Position Node::position() const {
  Position out;
  out.line = line;
  out.column = column;
  out.length = length;
  if (source) {
    out.file = source->path;
    out.source_line = line_of(source->text, line);
  }
  return out;
}

TemplateOrigin Node::origin() const {
  TemplateOrigin out;
  if (!source || line == 0) return out;
  out.file = source->path;
  out.whole_file = source->text;
  out.line = line;
  out.column = column;
  if (style == Style::kQuoted) ++out.column;
  if (style != Style::kBlock) return out;
  const YamlLines lines(source->text);
  out.line = line + 1;
  for (int number = out.line; number <= out.line + 1000; ++number) {
    const auto indent = lines.line(number).find_first_not_of(' ');
    if (indent == std::string_view::npos) continue;
    out.indent = static_cast<int>(indent);
    break;
  }
  out.column = out.indent + 1;
  return out;
}

Value to_value(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull: return nullptr;
    case Node::Kind::kScalar: return scalar_value(node);
    case Node::Kind::kSequence: {
      Value out = Value::array();
      for (const auto& item : node.items) out.push_back(to_value(item));
      return out;
    }
    case Node::Kind::kMapping: {
      Value out = Value::object();
      for (const auto& entry : node.entries) out[entry.key.text] = to_value(entry.value);
      return out;
    }
  }
  return nullptr;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull: return "nothing";
    case Node::Kind::kSequence: return node.items.empty() ? "an empty list" : "a list";
    case Node::Kind::kMapping: return "a mapping";
    case Node::Kind::kScalar: break;
  }
  const std::string shown = node.text.size() > 40 ? node.text.substr(0, 40) + "..." : node.text;
  const Value value = scalar_value(node);
  if (value.is_boolean()) return shown;
  if (value.is_number()) return fmt::format("the number {}", shown);
  return fmt::format("the text '{}'", shown);
}

}  // namespace sentinel
