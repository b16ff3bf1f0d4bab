// SPDX-License-Identifier: Apache-2.0
// Text -> tokens, by the rules of Jinja2's lexer: whitespace control, raw blocks and comments are gone after this step.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/template/source_text.h"

namespace sentinel::template_engine {

struct Token {
  enum class Kind {
    kData,           ///< text to copy; `text`
    kVariableBegin,  ///< {{
    kVariableEnd,
    kBlockBegin,  ///< {%
    kBlockEnd,
    kName,
    kString,    ///< `text` is the unescaped value
    kInteger,   ///< `integer`
    kFloat,     ///< `real`
    kOperator,  ///< `text` is the operator
    kEnd,
  };

  Kind kind = Kind::kEnd;
  std::string text;
  std::int64_t integer = 0;
  double real = 0;
  Span span;

  bool is_operator(std::string_view symbol) const { return kind == Kind::kOperator && text == symbol; }

  bool is_name(std::string_view name) const { return kind == Kind::kName && text == name; }
};

/// Tokens of a template, ending with kEnd.
Result<std::vector<Token>> tokenize(const SourceText& source);
/// Tokens of one expression without braces, ending with kEnd.
Result<std::vector<Token>> tokenize_expression(const SourceText& source);

/// For messages: "'}}'", "'endif'", "end of template".
std::string describe(const Token& token);

/// The text with \r\n and \r as \n, as Jinja reads it.
std::string normalized_newlines(std::string text);

}  // namespace sentinel::template_engine
