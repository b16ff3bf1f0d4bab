// SPDX-License-Identifier: Apache-2.0
// Stacks and roles as read from their files: checked for shape, not yet rendered. docs/reference/playbook.yaml
// documents the format. One Playbook holds the stack and every role it can reach, so expansion needs no more files but
// templates.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/assets.h"
#include "core/config/diagnostics.h"
#include "core/config/project.h"
#include "core/config/yaml.h"

namespace sentinel {

/// An item of a role's `resources:` list.
struct RoleItem {
  enum class Kind { kResource, kInclude, kAssert };
  Kind kind = Kind::kResource;
  std::string resource_kind;  ///< the key that names the kind: "file", "sudoers", "package" ...
  Node body;                  ///< fields of the resource; for an include its variables; for an assert the expression
  std::string included_role;
  std::string message;  ///< assert: shown when the expression is false
  std::string hint;
  std::string id;  ///< may hold a template; empty: derived
  std::string title;
  std::optional<Node> when;
  std::optional<Node> loop;
  std::vector<std::string> tags;
  std::vector<Node> notify;
  Node node;  ///< the whole item, for positions
};

struct Role {
  std::string name;
  std::string title;
  std::string documentation;  ///< the comment at the head of the file
  Node vars;                  ///< documented defaults
  std::vector<RoleItem> items;
};

struct RoleUse {
  std::string role;
  std::optional<Node> when;
  Node vars;
  std::vector<std::string> tags;
  Node node;
};

struct Playbook {
  std::string stack;
  std::string title;
  Node vars;
  std::vector<RoleUse> roles;
  std::map<std::string, Role> all_roles;  ///< every role reachable from the stack
};

/// Loads the project's stack and all roles it reaches; also parses every template they name. `assets` should already
/// have the project's directory in front.
std::optional<Playbook> load_playbook(const Project& project, const Assets& assets, Diagnostics& diagnostics);

/// One role by name, for `docs role NAME`.
std::optional<Role> load_role(const std::string& name, const Assets& assets, Diagnostics& diagnostics);

}  // namespace sentinel
