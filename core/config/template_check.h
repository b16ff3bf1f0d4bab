// SPDX-License-Identifier: Apache-2.0
// Templates looked at without rendering: syntax of every text and file, so that a mistake in a branch that no host
// takes today is found too. Also the one place that finds template files by name.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/config/assets.h"
#include "core/config/diagnostics.h"
#include "core/config/yaml.h"
#include "core/template/template.h"

namespace sentinel {

/// templates/ of the project and of what is shipped.
class TemplateFiles final : public TemplateSources {
 public:
  explicit TemplateFiles(const Assets& assets) : assets_(assets) {}

  Result<std::optional<TemplateSource>> load(const std::string& name) const override;
  std::vector<std::string> names() const override;

  /// As load, but a missing one is the error `template.missing` with a suggestion.
  Result<TemplateSource> require(const std::string& name) const;

 private:
  const Assets& assets_;
};

class TemplateCheck {
 public:
  TemplateCheck(const Assets& assets, Diagnostics& diagnostics)
      : assets_(assets), files_(assets), diagnostics_(diagnostics) {}

  /// Every text in the tree.
  void check_texts(const Node& node);
  /// A `when:` or `loop:`, written without braces.
  void check_expression(const Node& node);
  /// The `template:` or `source:` of a resource, when its name is known without rendering.
  void check_file(const Node& body);

 private:
  void add(Error error, const Node& where);

  const Assets& assets_;
  TemplateFiles files_;
  Diagnostics& diagnostics_;
  std::set<std::string> checked_;
};

/// Largest template and largest copied file.
inline constexpr std::size_t kTemplateBytes = 1U << 20;
inline constexpr std::size_t kSourceBytes = 16U << 20;

}  // namespace sentinel
