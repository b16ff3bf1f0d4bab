// SPDX-License-Identifier: Apache-2.0
// The renderer: a strict subset of Jinja2. What it accepts renders as Jinja2 3.1 does with StrictUndefined,
// trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True and autoescape off; tests/table/template proves it
// against the real one. Everything else is an error with a position: nothing renders to a silent empty string.
//
// `secrets` is special: `{{ secrets.NAME }}` puts a hole into the result, which only the agent fills. Only the filters of
// core/base/quote.h may follow (several, in order), and `default` and `is defined`; every other use is an error.
//
// Not in the subset: macro, call, import, from, extends, block, do, autoescape, recursive loops, methods that change a
// value. Stricter than Jinja2: printing or testing the lazy result of `map`, `select` and the like without `| list`, a
// method that is not called, and integers beyond 64 bits are errors; so is an undefined element of a printed list.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/model/content.h"
#include "core/template/value.h"

namespace sentinel {

/// Variables and native results; keys keep their order.
using Value = template_engine::Value;

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
  std::size_t output_bytes = 16U << 20;   ///< of one rendering, and of any single string made on the way
  std::size_t iterations = 1'000'000;     ///< loop passes and list items made, in total
  std::size_t work = 512U << 20;          ///< bytes of values looked at or made, in total
  int include_depth = 16;
};

struct RenderOptions {
  TemplateOrigin origin;
  const TemplateSources* includes = nullptr;  ///< none: every include is missing
  std::vector<std::string> secrets;           ///< the names that `secrets.NAME` may use
  TemplateLimits limits;
};

/// The text with holes where secrets go. `variables` is an object. All errors are `template.…` (exit code usage), or what
/// TemplateSources::load returned, with positions and "while: included from FILE:LINE".
Result<Content> render_content(std::string_view text, const Value& variables, const RenderOptions& options);

/// As render_content, for places where a secret can't go: a hole is the error `template.secret-not-allowed`.
Result<std::string> render_text(std::string_view text, const Value& variables, const RenderOptions& options);

/// The value of one expression without braces (`when:`). An undefined result is an error; tuples, ranges and lazy results
/// become arrays.
Result<Value> evaluate(std::string_view expression, const Value& variables, const RenderOptions& options);

/// A text that is exactly one `{{ expression }}` keeps the native type of its value; any other is rendered to a string.
Result<Value> render_value(std::string_view text, const Value& variables, const RenderOptions& options);

/// Python's truth of a value, for `when:` (false, 0, 0.0, "", [], {} and null are false).
bool is_true(const Value& value);

/// True when the text holds anything to render: `{{`, `{%` or `{#`.
bool has_template_syntax(std::string_view text);

/// The variables a text reads, sorted: names that are neither set by the template nor built in. A name set on only some
/// paths is left out. For ordering variables that refer to one another. Names inside includes are not seen.
Result<std::vector<std::string>> referenced_variables(std::string_view text, const RenderOptions& options);

}  // namespace sentinel
