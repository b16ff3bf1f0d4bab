// SPDX-License-Identifier: Apache-2.0
// The renderer: a strict subset of Jinja2. What it accepts renders as Jinja2 3.1 does with StrictUndefined,
// trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True and autoescape off; tests/table/template proves it
// against the real one. Everything else is an error with a position: nothing renders to a silent empty string.
//
// `secrets` is special: `{{ secrets.NAME }}` puts a hole into the result, which only the agent fills. Only the filters
// of core/base/quote.h may follow (several, in order), and `default` and `is defined`; every other use is an error.
//
// Not in the subset: macro, call, import, from, extends, block, do, print, autoescape, recursive loops, unpacked
// arguments, methods that change a value, str.format (use the filter format or %).
// Beyond Jinja2: the filters quote, shell, systemd, systemd_exec, yaml, caddy, ini, b64encode and b64decode.
// Stricter than Jinja2: printing or testing the lazy result of `map`, `select` and the like without `| list`, a method
// that is not called, an undefined element of a printed list, and integers beyond 64 bits are errors. The result of
// `tojson` is plain text, and a lazy result can be read more than once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/model/content.h"
#include "core/template/options.h"
#include "core/template/value.h"

namespace sentinel {

/// Variables and native results; keys keep their order.
using Value = template_engine::Value;

/// The text with holes where secrets go. `variables` is an object. All errors are `template.…` (exit code usage), or
/// what TemplateSources::load returned, with positions and "while: included from FILE:LINE".
Result<Content> render_content(std::string_view text, const Value& variables, const RenderOptions& options);

/// As render_content, for places where a secret can't go: a hole is the error `template.secret-not-allowed`.
Result<std::string> render_text(std::string_view text, const Value& variables, const RenderOptions& options);

/// The value of one expression without braces (`when:`). An undefined result is an error; tuples, ranges and lazy
/// results become arrays.
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
