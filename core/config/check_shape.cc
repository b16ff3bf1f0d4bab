// SPDX-License-Identifier: Apache-2.0
// The check of a value against a schema. It goes on after a mistake; what is below a value of the wrong kind is left
// out.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/suggest.h"
#include "core/config/reference.h"
#include "core/config/scalar_types.h"
#include "core/config/schema.h"

namespace sentinel {
namespace {

class ShapeChecker {
 public:
  ShapeChecker(Templates templates, Diagnostics& diagnostics) : templates_(templates), diagnostics_(diagnostics) {}

  void check(const Node& node, const Schema& schema, const std::string& path) {
    if (passes_as_template(node, schema)) return;
    const bool outer = sensitive_;
    sensitive_ = sensitive_ || schema.sensitive;
    check_kind_of_node(node, schema, path);
    sensitive_ = outer;
  }

 private:
  void check_kind_of_node(const Node& node, const Schema& schema, const std::string& path) {
    if (!schema.or_type.empty() && node.is_scalar()) {
      check_scalar(node, schema.or_type, path);
    } else if (schema.type == "mapping") {
      if (require(node, node.is_mapping(), "a mapping", path)) check_mapping(node, schema, path);
    } else if (schema.type == "map") {
      if (require(node, node.is_mapping(), "a mapping", path)) check_map(node, schema, path);
    } else if (schema.type == "list") {
      if (require(node, node.is_sequence(), "a list", path, list_hint(node))) check_list(node, schema, path);
    } else {
      if (check_scalar(node, schema.type, path)) check_bounds(node, schema, path);
    }
  }

  bool passes_as_template(const Node& node, const Schema& schema) const {
    return templates_ == Templates::kAllowed && !schema.literal && node.is_scalar() && has_template_syntax(node.text);
  }

  void add(const char* code, const Node& where, std::string message, std::string hint = {}) {
    Position position = where.position();
    if (sensitive_) position.source_line.clear();
    diagnostics_.add(Error(code, std::move(message), std::move(hint)).at(std::move(position)));
  }

  std::string found(const Node& node) const {
    return sensitive_ && node.is_scalar() ? std::string("a single value (not shown)") : describe(node);
  }

  static std::string subject(const std::string& path) { return path.empty() ? "this file" : path; }

  bool require(const Node& node, bool fits, const std::string& expected, const std::string& path,
               std::string hint = {}) {
    if (!fits) {
      add("schema.type", node, fmt::format("{}: expected {}, found {}", subject(path), expected, found(node)),
          std::move(hint));
    }
    return fits;
  }

  std::string list_hint(const Node& node) const {
    const bool word = node.is_scalar() && !sensitive_ && node.text.find_first_of(" ,:[]{}") == std::string::npos;
    return word ? fmt::format("write [{}]", node.text) : std::string();
  }

  bool check_scalar(const Node& node, const std::string& type_name, const std::string& path) {
    const ScalarType& type = *find_scalar_type(type_name);
    if (type.accepts(node)) return true;
    std::string hint;
    if (type_name == "bool" && node.is_scalar()) {
      const bool yes = node.text == "yes" || node.text == "on";
      const bool no = node.text == "no" || node.text == "off";
      if (yes || no) hint = fmt::format("write {}", yes ? "true" : "false");
    }
    if (type_name == "duration" && node.is_scalar() && parse_duration(node.text + "s").ok()) {
      hint = fmt::format("write {}s for seconds", node.text);
    }
    if (type_name == "mode" && node.is_scalar() && to_value(node).is_number())
      hint = "write the permissions as 0644, not as a decimal number";
    return require(node, false, std::string(type.expected), path, hint);
  }

  void check_bounds(const Node& node, const Schema& schema, const std::string& path) {
    if (!schema.one_of.empty() && node.is_scalar()) {
      if (std::find(schema.one_of.begin(), schema.one_of.end(), node.text) == schema.one_of.end()) {
        const bool one = schema.one_of.size() == 1;
        add("schema.value", node,
            fmt::format("{}: expected {}{}, found {}", subject(path), one ? "" : "one of ",
                        fmt::join(schema.one_of, ", "), found(node)),
            one ? std::string() : did_you_mean(node.text, schema.one_of));
      }
    }
    if (schema.type != "int" || !to_value(node).is_number_integer()) return;
    check_range(node, schema, parse_int(node), path, "must be");
  }

  void check_range(const Node& node, const Schema& schema, std::int64_t value, const std::string& path,
                   const char* what) {
    if (schema.min && value < *schema.min) {
      add("schema.value", node, fmt::format("{}: {} at least {}, found {}", subject(path), what, *schema.min, value));
    }
    if (schema.max && value > *schema.max) {
      add("schema.value", node, fmt::format("{}: {} at most {}, found {}", subject(path), what, *schema.max, value));
    }
  }

  void check_list(const Node& node, const Schema& schema, const std::string& path) {
    check_range(node, schema, static_cast<std::int64_t>(node.items.size()), path, "the number of items must be");
    for (std::size_t i = 0; i < node.items.size(); ++i)
      check(node.items[i], *schema.of, fmt::format("{}[{}]", path, i));
  }

  void check_map(const Node& node, const Schema& schema, const std::string& path) {
    check_range(node, schema, static_cast<std::int64_t>(node.entries.size()), path, "the number of entries must be");
    for (const auto& entry : node.entries) {
      if (!schema.key_type.empty()) check_key_name(entry.key, schema.key_type, path);
      check(entry.value, *schema.of, join_path(path, entry.key.text));
    }
  }

  void check_key_name(const Node& key, const std::string& type_name, const std::string& path) {
    const ScalarType& type = *find_scalar_type(type_name);
    if (type.accepts(key)) return;
    add("schema.value", key, fmt::format("{}: a key must be {}, found '{}'", subject(path), type.expected, key.text));
  }

  void check_mapping(const Node& node, const Schema& schema, const std::string& path) {
    const Node::Entry* kind = nullptr;
    for (const auto& entry : node.entries) {
      if (const auto* known = schema.key(entry.key.text)) {
        check(entry.value, *known, join_path(path, entry.key.text));
      } else if (schema.kinds && find_reference(entry.key.text) != nullptr && is_kind(entry.key.text)) {
        check_kind(entry, kind, path);
        kind = &entry;
      } else if (!entry.key.text.starts_with("x-")) {
        unknown_key(entry.key, schema, path);
      }
    }
    check_missing(node, schema, path);
    for (const auto& group : schema.exactly_one) check_group(node, group, path, true);
    for (const auto& group : schema.at_most_one) check_group(node, group, path, false);
  }

  static bool is_kind(const std::string& name) {
    const auto kinds = resource_kinds();
    return std::binary_search(kinds.begin(), kinds.end(), name);
  }

  void check_kind(const Node::Entry& entry, const Node::Entry* earlier, const std::string& path) {
    if (earlier != nullptr) {
      add("schema.exclusive-keys", entry.key,
          fmt::format("{}: one item holds one resource, but here are '{}' and '{}'", subject(path), earlier->key.text,
                      entry.key.text),
          "begin a new list item with '- '");
    }
    const Reference& reference = *find_reference(entry.key.text);
    const Schema* primary = reference.schema.key(reference.primary);
    if (!entry.value.is_mapping() && primary != nullptr) {
      check(entry.value, *primary, join_path(path, entry.key.text));
    } else {
      check(entry.value, reference.schema, join_path(path, entry.key.text));
    }
  }

  void unknown_key(const Node& key, const Schema& schema, const std::string& path) {
    std::vector<std::string> known;
    for (const auto& [name, unused] : schema.keys) known.push_back(name);
    if (schema.kinds) {
      for (const auto& kind : resource_kinds()) known.push_back(kind);
    }
    std::string hint = did_you_mean(key.text, known);
    if (hint.empty() && known.size() <= 24) hint = fmt::format("known keys: {}", fmt::join(known, ", "));
    if (hint.empty()) hint = "keys of your own begin with 'x-'";
    add("schema.unknown-key", key,
        path.empty() ? fmt::format("unknown key '{}'", key.text) : fmt::format("{}: unknown key '{}'", path, key.text),
        hint);
  }

  void check_missing(const Node& node, const Schema& schema, const std::string& path) {
    for (const auto& [name, key] : schema.keys) {
      if (key.required && node.find(name) == nullptr) {
        add("schema.missing-key", node, fmt::format("{}: the key '{}' is missing", subject(path), name),
            key.example.empty() ? std::string() : fmt::format("for example {}: {}", name, key.example));
      }
    }
  }

  void check_group(const Node& node, const std::vector<std::string>& group, const std::string& path, bool needed) {
    std::vector<const Node::Entry*> present;
    for (const auto& name : group) {
      if (const auto* entry = node.find_entry(name)) present.push_back(entry);
    }
    if (present.size() > 1) {
      add("schema.exclusive-keys", present[1]->key,
          fmt::format("{}: '{}' and '{}' exclude each other", subject(path), present[0]->key.text,
                      present[1]->key.text));
    } else if (present.empty() && needed) {
      add("schema.missing-key", node, fmt::format("{}: one of {} is needed", subject(path), fmt::join(group, ", ")));
    }
  }

  Templates templates_;
  Diagnostics& diagnostics_;
  bool sensitive_ = false;
};

}  // namespace

void check_shape(const Node& node, const Schema& schema, const std::string& path, Templates templates,
                 Diagnostics& diagnostics) {
  ShapeChecker(templates, diagnostics).check(node, schema, path);
}

}  // namespace sentinel
