// SPDX-License-Identifier: Apache-2.0
// The shape a YAML value must have, read from an annotated reference file (docs/reference), and the check of a value
// against it. The same schema makes `sentinelctl docs` and the JSON schema for editors.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/yaml.h"

namespace sentinel {

struct Schema {
  std::string type;  ///< a scalar type's name, or "list", "map" (free keys) or "mapping" (fixed keys)
  std::string doc;
  bool required = false;
  std::optional<Node> default_value;
  std::string example;
  std::vector<std::string> one_of;  ///< the only texts allowed
  std::optional<std::int64_t> min;  ///< int: least value; list: least number of items
  std::optional<std::int64_t> max;
  std::string or_type;         ///< of a mapping or list: a scalar type that may stand in its place
  std::string key_type;        ///< of a map: the scalar type of its keys
  std::shared_ptr<Schema> of;  ///< of a list or map: its values
  std::vector<std::pair<std::string, Schema>> keys;   ///< of a mapping
  std::vector<std::vector<std::string>> exactly_one;  ///< of a mapping: groups of keys of which one must be there
  std::vector<std::vector<std::string>> at_most_one;
  bool kinds = false;      ///< one more key must name a resource kind; its value has that kind's reference
  bool literal = false;    ///< no template may stand here, also in playbooks
  bool sensitive = false;  ///< somebody may have written a secret here: no message shows what was found

  const Schema* key(std::string_view name) const;
};

/// Reads a schema from a reference file's node. Errors `reference.…` point into that file.
Result<Schema> read_schema(const Node& node);

enum class Templates { kNo, kAllowed };

/// Checks `node`; adds every mistake with its position (`schema.type`, `schema.value`, `schema.unknown-key`,
/// `schema.missing-key`, `schema.exclusive-keys`). `path` names the value for people ("hosts.prod-1"). With
/// Templates::kAllowed a text with template syntax passes as any scalar: it is checked again after rendering.
void check_shape(const Node& node, const Schema& schema, const std::string& path, Templates templates,
                 Diagnostics& diagnostics);

/// A mapping with the schema's defaults for the keys it lacks, also inside mappings; one that is null counts as empty.
Node with_defaults(const Node& node, const Schema& schema);

/// "ssh.port", or "port" at the root.
std::string join_path(const std::string& path, const std::string& key);

}  // namespace sentinel
