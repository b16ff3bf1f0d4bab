// SPDX-License-Identifier: Apache-2.0
// What a rendering is told besides text and variables. Apart from template.h, so that the renderer's own files compile
// without the JSON library.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace sentinel {

/// A template text and the name people know it by.
struct TemplateSource {
  std::string path;  ///< for positions in errors
  std::string text;
};

/// Where `include` finds templates.
class TemplateSources {
 public:
  virtual ~TemplateSources() = default;
  /// Nothing when there is no template of that name (`ignore missing` asks for that); an error when it can't be read.
  virtual Result<std::optional<TemplateSource>> load(const std::string& name) const = 0;

  /// All names, for "did you mean"; may be empty.
  virtual std::vector<std::string> names() const { return {}; }
};

/// Where the text stands in the file a person wrote, so that errors point there.
struct TemplateOrigin {
  std::string file;
  int line = 1;    ///< line of the text's first byte
  int column = 1;  ///< column of the text's first byte
  int indent = 0;  ///< bytes in front of each further line (a block scalar's indentation)
  /// The whole file, for the source line shown with an error; empty: the template's own lines are shown.
  std::string_view whole_file;
};

/// Bounds that keep a hostile template from hanging or filling the memory; the defaults are far above real use.
struct TemplateLimits {
  std::size_t output_bytes = 16U << 20;  ///< of one rendering, and of any single string made on the way
  std::size_t iterations = 1'000'000;    ///< loop passes and list items made, in total
  std::size_t work = 512U << 20;         ///< bytes of values looked at or made, in total
  int include_depth = 16;
};

struct RenderOptions {
  TemplateOrigin origin;
  const TemplateSources* includes = nullptr;  ///< none: every include is missing
  std::vector<std::string> secrets;           ///< the names that `secrets.NAME` may use
  TemplateLimits limits;
};

}  // namespace sentinel
