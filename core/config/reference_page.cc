// SPDX-License-Identifier: Apache-2.0
// Reference pages as text of at most 100 columns: each key with its type, default and meaning, indented as in the file.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "core/base/suggest.h"
#include "core/config/reference.h"
#include "core/config/scalar_types.h"
#include "core/config/yaml_text.h"

namespace sentinel {
namespace {

constexpr std::size_t kColumns = 100;

/// Words of `text` on lines of at most kColumns, each indented.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::istringstream words(text);
  std::string out;
  std::string line;
  for (std::string word; words >> word;) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > kColumns) {
      out += std::string(indent, ' ') + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  if (!line.empty()) out += std::string(indent, ' ') + line + "\n";
  return out;
}

/// A value on one line, as YAML.
std::string flow(const Node& node) {
  if (node.is_null()) return "null";
  if (node.is_sequence()) {
    std::vector<std::string> parts;
    for (const auto& item : node.items) parts.push_back(flow(item));
    return fmt::format("[{}]", fmt::join(parts, ", "));
  }
  if (node.is_mapping()) {
    std::vector<std::string> parts;
    for (const auto& entry : node.entries) parts.push_back(fmt::format("{}: {}", entry.key.text, flow(entry.value)));
    return fmt::format("{{{}}}", fmt::join(parts, ", "));
  }
  if (node.style == Node::Style::kPlain) return node.text;
  return fmt::format("\"{}\"", Value(node.text).dump().substr(1, Value(node.text).dump().size() - 2));
}

std::string type_words(const Schema& schema) {
  std::string out;
  if (!schema.one_of.empty()) {
    out = fmt::format("{}", fmt::join(schema.one_of, " | "));
  } else if (schema.type == "list") {
    out = fmt::format("list of {}", type_words(*schema.of));
  } else if (schema.type == "map") {
    out = schema.of->type == "any" ? "mapping" : fmt::format("mapping of names to {}", type_words(*schema.of));
  } else {
    out = schema.type;
  }
  if (!schema.or_type.empty()) out += fmt::format(", or {}", schema.or_type);
  return out;
}

void add_keys(const Schema& schema, std::size_t indent, std::string& out);

void add_key(const std::string& name, const Schema& schema, std::size_t indent, std::string& out) {
  std::string facts = type_words(schema);
  if (schema.required) facts += "; required";
  if (schema.default_value) facts += fmt::format("; default {}", flow(*schema.default_value));
  if (!schema.example.empty()) facts += fmt::format("; for example {}", schema.example);
  out += fmt::format("{}{}:  ({})\n", std::string(indent, ' '), name, facts);
  out += wrapped(schema.doc, indent + 4);
  const Schema* inner = &schema;
  std::size_t inner_indent = indent + 2;
  while (inner->of) {
    if (inner->type == "map" && inner->of->type == "mapping") {
      out += std::string(inner_indent, ' ') + "NAME:\n";
      inner_indent += 2;
    }
    inner = inner->of.get();
  }
  add_keys(*inner, inner_indent, out);
}

void add_keys(const Schema& schema, std::size_t indent, std::string& out) {
  for (const auto& [name, key] : schema.keys) add_key(name, key, indent, out);
  for (const auto& group : schema.exactly_one) {
    out += std::string(indent, ' ') + fmt::format("(exactly one of {})\n", fmt::join(group, ", "));
  }
  for (const auto& group : schema.at_most_one) {
    out += std::string(indent, ' ') + fmt::format("(at most one of {})\n", fmt::join(group, ", "));
  }
}

std::string indented(const std::string& text) {
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out += line.empty() ? "\n" : "  " + line + "\n";
  return out;
}

/// Comments directly above a line, without their '#'.
std::string comment_above(const Node& key) {
  if (!key.source) return {};
  const YamlLines lines(key.source->text);
  std::string out;
  for (int number = key.line - 1; number >= 1; --number) {
    auto line = lines.line(number);
    const auto text = line.find_first_not_of(' ');
    if (text == std::string_view::npos || line[text] != '#') break;
    line.remove_prefix(text + 1);
    out = std::string(line) + " " + out;
  }
  return out;
}

void add_variables(const Node& vars, const std::string& path, std::string& out) {
  for (const auto& [key, value] : vars.entries) {
    const std::string name = path.empty() ? key.text : path + "." + key.text;
    const std::string comment = comment_above(key);
    if (value.is_mapping() && !value.entries.empty()) {
      if (!comment.empty()) out += fmt::format("  {}\n{}", name, wrapped(comment, 6));
      add_variables(value, name, out);
    } else {
      out += fmt::format("  {}: {}\n{}", name, flow(value), wrapped(comment, 6));
    }
  }
}

}  // namespace

Result<std::string> reference_page(const std::string& topic) {
  const Reference* page = find_reference(topic);
  if (page == nullptr) {
    auto known = reference_topics();
    for (const auto& kind : resource_kinds()) known.push_back(kind);
    return Error("docs.unknown-topic", fmt::format("there is no page '{}'", topic), did_you_mean(topic, known),
                 ExitCode::kUsage);
  }
  std::string out = fmt::format("{}\n\n{}", page->title, page->text);
  if (!page->example.empty()) out += fmt::format("\nExample:\n\n{}", indented(page->example));
  out += "\nKeys:\n\n";
  add_keys(page->schema, 2, out);
  if (page->schema.type == "mapping" && topic == "role") {
    out += fmt::format("\nResource kinds (`sentinelctl docs KIND`):\n\n{}",
                       wrapped(fmt::format("{}", fmt::join(resource_kinds(), " ")), 2));
  }
  return out;
}

std::string role_page(const Role& role) {
  std::string out = role.name + (role.title.empty() ? "" : ": " + role.title) + "\n";
  if (!role.documentation.empty()) out += "\n" + role.documentation;
  if (!role.vars.entries.empty()) {
    out += "\nVariables and their defaults:\n\n";
    add_variables(role.vars, "", out);
  }
  return out;
}

}  // namespace sentinel
