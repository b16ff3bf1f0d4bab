// SPDX-License-Identifier: Apache-2.0
// The public functions: check the text, parse, run.
#include "core/template/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/template/convert.h"
#include "core/template/lexer.h"
#include "core/template/operators.h"
#include "core/template/parser.h"
#include "core/template/references.h"
#include "core/template/runtime.h"
#include "core/template/unicode.h"

namespace sentinel {
namespace {

using template_engine::Datum;
using template_engine::SourceText;

Result<std::shared_ptr<const SourceText>> source_of(std::string_view text, const RenderOptions& options) {
  auto source =
      std::make_shared<const SourceText>(template_engine::normalized_newlines(std::string(text)), options.origin);
  const auto broken = invalid_utf8(source->text());
  if (broken != std::string::npos) {
    return template_engine::error_at(*source, {broken, broken + 1}, "template.encoding",
                                     "the template is not UTF-8 text");
  }
  return source;
}

/// The expression of a text that is nothing but `{{ expression }}`; null otherwise.
const template_engine::Expression* lone_expression(const template_engine::Template& parsed) {
  if (parsed.body.size() != 1 || parsed.body[0].kind != template_engine::Statement::Kind::kPrint) return nullptr;
  return parsed.body[0].expression.get();
}

Result<Value> native_value(const SourceText& source, const template_engine::Expression& expression,
                           const Value& variables, const RenderOptions& options) {
  template_engine::Runtime runtime(variables, options);
  SENTINEL_TRY(const Datum value, runtime.evaluate_in(source, expression));
  auto out = template_engine::to_value(value, runtime.budget());
  if (value.is_hole()) {
    return template_engine::error_at(source, expression.span, "template.secret-not-allowed",
                                     "a secret can't be used here", "secrets go into the contents of files only");
  }
  if (!out.ok()) return template_engine::located(std::move(out).error(), source, expression.span);
  return out;
}

Result<Content> rendered(const template_engine::Template& parsed, const Value& variables,
                         const RenderOptions& options) {
  template_engine::Runtime runtime(variables, options);
  template_engine::Output output;
  SENTINEL_CHECK(runtime.render(parsed, output));
  return output.take();
}

Result<std::string> text_of(const template_engine::Template& parsed, const Content& content) {
  if (!content.has_holes()) return content.serialize();
  for (const auto& piece : content.pieces()) {
    const auto* hole = std::get_if<Hole>(&piece);
    if (hole == nullptr) continue;
    const auto& text = parsed.source->text();
    const auto found = text.find("secrets");
    const template_engine::Span span =
        found == std::string::npos ? template_engine::Span{0, text.size()} : template_engine::Span{found, found + 7};
    return template_engine::error_at(*parsed.source, span, "template.secret-not-allowed",
                                     fmt::format("the secret '{}' can't be used here", hole->secret),
                                     "secrets go into the contents of files only");
  }
  return content.serialize();
}

}  // namespace

Result<Content> render_content(std::string_view text, const Value& variables, const RenderOptions& options) {
  SENTINEL_TRY(auto source, source_of(text, options));
  SENTINEL_TRY(const auto parsed, template_engine::parse_template(std::move(source)));
  return rendered(parsed, variables, options);
}

Result<std::string> render_text(std::string_view text, const Value& variables, const RenderOptions& options) {
  SENTINEL_TRY(auto source, source_of(text, options));
  SENTINEL_TRY(const auto parsed, template_engine::parse_template(std::move(source)));
  SENTINEL_TRY(const Content content, rendered(parsed, variables, options));
  return text_of(parsed, content);
}

Result<Value> evaluate(std::string_view expression, const Value& variables, const RenderOptions& options) {
  SENTINEL_TRY(const auto source, source_of(expression, options));
  SENTINEL_TRY(const auto parsed, template_engine::parse_expression(*source));
  return native_value(*source, *parsed, variables, options);
}

Result<Value> render_value(std::string_view text, const Value& variables, const RenderOptions& options) {
  SENTINEL_TRY(auto source, source_of(text, options));
  SENTINEL_TRY(const auto parsed, template_engine::parse_template(std::move(source)));
  if (const auto* expression = lone_expression(parsed))
    return native_value(*parsed.source, *expression, variables, options);
  SENTINEL_TRY(const Content content, rendered(parsed, variables, options));
  SENTINEL_TRY(std::string out, text_of(parsed, content));
  return Value(std::move(out));
}

bool is_true(const Value& value) {
  switch (value.type()) {
    case Value::value_t::null: return false;
    case Value::value_t::boolean: return value.get<bool>();
    case Value::value_t::string: return !value.get_ref<const std::string&>().empty();
    case Value::value_t::number_integer:
    case Value::value_t::number_unsigned:
    case Value::value_t::number_float: return value.get<double>() != 0;
    default: return !value.empty();
  }
}

bool has_template_syntax(std::string_view text) {
  return text.find("{{") != std::string_view::npos || text.find("{%") != std::string_view::npos ||
         text.find("{#") != std::string_view::npos;
}

Result<std::vector<std::string>> referenced_variables(std::string_view text, const RenderOptions& options) {
  SENTINEL_TRY(auto source, source_of(text, options));
  SENTINEL_TRY(const auto parsed, template_engine::parse_template(std::move(source)));
  return template_engine::free_names(parsed);
}

}  // namespace sentinel
