// SPDX-License-Identifier: Apache-2.0
// Follows the stack to its roles, and roles to those they include. Everything that can be told without a host is told
// here: shapes, unknown roles, circles, syntax of every template, missing template files.
#include "core/config/playbook.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/suggest.h"
#include "core/config/fields.h"
#include "core/config/reference.h"
#include "core/config/template_check.h"
#include "core/config/variables.h"
#include "core/config/yaml_text.h"

namespace sentinel {
namespace {

constexpr const char* kRoles = "playbooks/roles/";
constexpr const char* kStacks = "playbooks/stacks/";

/// The comment at the head of a file, without the licence line.
std::string head_comment(const Node& root) {
  if (!root.source) return {};
  const YamlLines lines(root.source->text);
  std::string out;
  for (int number = 1; lines.line(number).starts_with('#'); ++number) {
    auto line = lines.line(number).substr(1);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (!line.starts_with("SPDX-")) out += std::string(line) + "\n";
  }
  return out;
}

std::vector<std::string> names_in(const Assets& assets, const char* directory) {
  std::vector<std::string> out;
  for (const auto& file : assets.list(directory)) {
    if (file.ends_with(".yaml")) out.push_back(file.substr(0, file.size() - 5));
  }
  return out;
}

class PlaybookLoader {
 public:
  PlaybookLoader(const Assets& assets, Diagnostics& diagnostics)
      : assets_(assets), diagnostics_(diagnostics), templates_(assets, diagnostics) {}

  std::optional<Node> load_stack_file(const Project& project) {
    Result<Node> node = Error();
    if (project.stack.ends_with(".yaml")) {
      const bool absolute = project.stack.starts_with('/');
      node = load_yaml(absolute ? project.stack : project.directory + "/" + project.stack, project.stack);
      if (!node.ok() && !node.error().position && project.stack_position.line > 0) {
        node = std::move(node).error().at(project.stack_position);
      }
    } else {
      return load_named(kStacks, project.stack, "stack", project.stack_position);
    }
    if (node.ok()) return std::move(node).value();
    diagnostics_.add(std::move(node).error());
    return {};
  }

  void read_stack(const Node& node, Playbook& out) {
    check_shape(node, find_reference("stack")->schema, "", Templates::kAllowed, diagnostics_);
    out.stack = text_field(node, "stack");
    out.title = text_field(node, "title");
    out.vars = mapping_field(node, "vars");
    check_variables(out.vars);
    const Node* roles = node.find("roles");
    if (roles == nullptr) return;
    for (const auto& item : roles->items) {
      RoleUse use = read_use(item);
      if (use.role.empty()) continue;
      reach(use.role, role_position(use.node), out);
      out.roles.push_back(std::move(use));
    }
  }

  std::optional<Role> read_role(const std::string& name, const Position& where) {
    const auto node = load_named(kRoles, name, "role", where);
    if (!node) return {};
    check_shape(*node, find_reference("role")->schema, "", Templates::kAllowed, diagnostics_);
    Role out;
    out.name = name;
    out.title = text_field(*node, "title");
    out.documentation = head_comment(*node);
    out.vars = mapping_field(*node, "vars");
    check_variables(out.vars);
    const std::string written = text_field(*node, "role", name);
    if (written != name) {
      diagnostics_.add(
          Error("playbook.role-name", fmt::format("the file of the role '{}' says it is '{}'", name, written))
              .at(node->find("role")->position()));
    }
    if (const Node* items = node->find("resources")) {
      for (const auto& item : items->items) read_item(item, out);
    }
    return out;
  }

 private:
  std::optional<Node> load_named(const char* directory, const std::string& name, const char* what,
                                 const Position& where) {
    const std::string path = directory + name + ".yaml";
    auto asset = assets_.find(path);
    if (asset.ok() && !asset->has_value()) {
      const auto known = names_in(assets_, directory);
      std::string hint = did_you_mean(name, known);
      if (hint.empty() && !known.empty() && known.size() <= 30) hint = fmt::format("known: {}", fmt::join(known, ", "));
      asset = Error(fmt::format("playbook.unknown-{}", what), fmt::format("there is no {} '{}'", what, name), hint);
    }
    if (!asset.ok()) {
      Error error = std::move(asset).error();
      if (!error.position && where.line > 0) error.position = where;
      diagnostics_.add(std::move(error));
      return {};
    }
    auto node = parse_yaml(std::move((*asset)->bytes), (*asset)->shown_path);
    if (node.ok()) return std::move(node).value();
    diagnostics_.add(std::move(node).error());
    return {};
  }

  void check_variables(const Node& vars) {
    for (const auto& entry : vars.entries) {
      const auto& reserved = reserved_variables();
      if (std::find(reserved.begin(), reserved.end(), entry.key.text) != reserved.end()) {
        diagnostics_.add(Error("variables.reserved", fmt::format("a variable can't be called '{}'", entry.key.text),
                               "playbooks see something else under this name; choose another")
                             .at(entry.key.position()));
      }
    }
    templates_.check_texts(vars);
  }

  static Position role_position(const Node& node) {
    const Node* role = node.find("role");
    return role == nullptr ? node.position() : role->position();
  }

  RoleUse read_use(const Node& node) {
    RoleUse out;
    out.node = node;
    out.vars = mapping_field(node, "vars");
    out.role = node.is_scalar() ? node.text : text_field(node, "role");
    out.tags = list_field(node, "tags");
    if (const Node* when = node.find("when")) {
      out.when = *when;
      templates_.check_expression(*when);
    }
    check_variables(out.vars);
    return out;
  }

  /// Loads a role and all it includes; a role in a chain that includes itself is a circle.
  void reach(const std::string& name, const Position& where, Playbook& out) {
    const auto begin = std::find(chain_.begin(), chain_.end(), name);
    if (begin != chain_.end()) {
      std::vector<std::string> circle(begin, chain_.end());
      circle.push_back(name);
      diagnostics_.add(Error("playbook.include-cycle",
                             fmt::format("roles include each other in a circle: {}", fmt::join(circle, " -> ")))
                           .at(where));
      return;
    }
    if (!seen_.insert(name).second) return;
    auto role = read_role(name, where);
    if (!role) return;
    chain_.push_back(name);
    for (const auto& item : role->items) {
      if (item.kind == RoleItem::Kind::kInclude) reach(item.included_role, item.node.find("include")->position(), out);
    }
    chain_.pop_back();
    out.all_roles.emplace(name, std::move(*role));
  }

  void read_item(const Node& node, Role& role) {
    if (!node.is_mapping()) return;
    RoleItem item;
    item.node = node;
    item.id = text_field(node, "id");
    item.title = text_field(node, "title");
    item.tags = list_field(node, "tags");
    if (const Node* when = node.find("when")) item.when = *when;
    if (const Node* loop = node.find("loop")) item.loop = *loop;
    if (const Node* notify = node.find("notify"))
      item.notify = notify->is_sequence() ? notify->items : std::vector<Node>{*notify};
    if (!read_purpose(node, item)) return;
    check_templates(item);
    role.items.push_back(std::move(item));
  }

  /// What the item is; false (with an error) when that can't be told.
  bool read_purpose(const Node& node, RoleItem& item) {
    std::vector<std::string> purposes;
    const auto kinds = resource_kinds();
    for (const auto& entry : node.entries) {
      const std::string& key = entry.key.text;
      if (key == "include" || key == "assert" || std::binary_search(kinds.begin(), kinds.end(), key))
        purposes.push_back(key);
    }
    if (purposes.size() != 1) {
      // A misspelt kind and two kinds at once were reported with the item's shape.
      if (purposes.empty() ? has_unknown_key(node) : is_resource(purposes[0]) && is_resource(purposes[1])) return false;
      diagnostics_.add(Error("playbook.item",
                             purposes.empty()
                                 ? std::string("this item is neither a resource nor an include nor an assert")
                                 : fmt::format("this item is several things at once: {}", fmt::join(purposes, ", ")),
                             "a list item has one key that says what it is, such as 'file:' or 'include:'")
                           .at(node.position()));
      return false;
    }
    const Node& value = *node.find(purposes[0]);
    if (purposes[0] == "include") {
      item.kind = RoleItem::Kind::kInclude;
      item.included_role = value.is_scalar() ? value.text : text_field(value, "role");
      item.body = mapping_field(value, "vars");
      check_variables(item.body);
      return !item.included_role.empty();
    }
    if (purposes[0] == "assert") {
      item.kind = RoleItem::Kind::kAssert;
      item.body = value;
      item.message = text_field(node, "message");
      item.hint = text_field(node, "hint");
      return value.is_scalar();
    }
    item.resource_kind = purposes[0];
    item.body = resource_body(value, *find_reference(purposes[0]));
    return true;
  }

  static bool is_resource(const std::string& key) { return key != "include" && key != "assert"; }

  static bool has_unknown_key(const Node& node) {
    const Schema& item = *find_reference("role")->schema.key("resources")->of;
    return std::any_of(node.entries.begin(), node.entries.end(), [&](const Node::Entry& entry) {
      return item.key(entry.key.text) == nullptr && !entry.key.text.starts_with("x-");
    });
  }

  /// `package: [curl]` means `package: {names: [curl]}`.
  static Node resource_body(const Node& value, const Reference& reference) {
    if (value.is_mapping() || reference.primary.empty()) return value;
    Node out = value;
    out.kind = Node::Kind::kMapping;
    out.text.clear();
    out.items.clear();
    Node key = value;
    key.kind = Node::Kind::kScalar;
    key.text = reference.primary;
    key.items.clear();
    out.entries.push_back({std::move(key), value});
    return out;
  }

  void check_templates(const RoleItem& item) {
    if (item.when) templates_.check_expression(*item.when);
    if (item.loop && item.loop->is_scalar()) templates_.check_expression(*item.loop);
    if (item.loop && item.loop->is_sequence()) templates_.check_texts(*item.loop);
    if (item.kind == RoleItem::Kind::kAssert) templates_.check_expression(item.body);
    if (item.kind == RoleItem::Kind::kResource) {
      templates_.check_texts(item.body);
      templates_.check_file(item.body);
    }
    for (const char* key : {"id", "title", "message", "hint"}) {
      if (const Node* text = item.node.find(key)) templates_.check_texts(*text);
    }
    for (const auto& effect : item.notify) templates_.check_texts(effect);
  }

  const Assets& assets_;
  Diagnostics& diagnostics_;
  TemplateCheck templates_;
  std::vector<std::string> chain_;
  std::set<std::string> seen_;
};

}  // namespace

std::optional<Playbook> load_playbook(const Project& project, const Assets& assets, Diagnostics& diagnostics) {
  const auto reported_before = diagnostics.reported;
  PlaybookLoader loader(assets, diagnostics);
  const auto node = loader.load_stack_file(project);
  if (!node) return {};
  Playbook out;
  loader.read_stack(*node, out);
  if (diagnostics.reported > reported_before) return {};
  return out;
}

std::optional<Role> load_role(const std::string& name, const Assets& assets, Diagnostics& diagnostics) {
  return PlaybookLoader(assets, diagnostics).read_role(name, {});
}

}  // namespace sentinel
