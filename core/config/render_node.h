// SPDX-License-Identifier: Apache-2.0
// Rendering the templates inside a YAML value; the result is a YAML value again, each part still knowing where it
// stands.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/template_check.h"
#include "core/config/yaml.h"

namespace sentinel {

/// What every rendering of one host shares.
struct RenderContext {
  const TemplateFiles* files = nullptr;
  std::vector<std::string> secrets;  ///< names that may be used
  std::string host;                  ///< for "while: ... for host NAME"

  RenderOptions options(const Node& node) const;
};

/// The node with every template rendered. A key whose text was a template and became null is left out, as if it had not
/// been written. Nothing when a template failed; all failures are in `diagnostics`, with `doing` as their context.
std::optional<Node> render_node(const Node& node, const Value& variables, const RenderContext& context,
                                const std::string& doing, Diagnostics& diagnostics);

/// A value as a node standing where `place` stands.
Node node_of(const Value& value, const Node& place);

}  // namespace sentinel
