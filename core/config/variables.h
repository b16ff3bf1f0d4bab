// SPDX-License-Identifier: Apache-2.0
// The merged tree of variables: how layers are merged, how --set adds to it, and how values that refer to other
// variables are resolved in the right order.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/yaml.h"

namespace sentinel {

/// Names that playbooks see beside the variables; no variable may have one.
const std::vector<std::string>& reserved_variables();

/// `over` on top of `base`: mappings are merged key by key, everything else is replaced.
Node merge_nodes(const Node& base, const Node& over);

/// "ssh.port=2222" into {ssh: {port: 2222}}; the value is read as YAML. Error `set.malformed` or `yaml.…`.
Result<Node> parse_setting(const std::string& setting);

/// Renders the texts in `vars` that are templates, each after those it refers to. `scope` holds the reserved names.
/// Nothing when one can't be resolved; a circle is the error `variables.cycle`, which names it.
std::optional<Value> resolve_variables(const Node& vars, const Value& scope, const std::vector<std::string>& secrets,
                                       Diagnostics& diagnostics);

}  // namespace sentinel
