// SPDX-License-Identifier: Apache-2.0
// Tokens -> tree, with the grammar and precedences of jinja2.parser. Unknown filters and tests are found here.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/template/lexer.h"
#include "core/template/syntax.h"

namespace sentinel::template_engine {

/// Nesting of expressions and of blocks that is accepted.
inline constexpr int kMaxNesting = 100;

Result<Template> parse_template(std::shared_ptr<const SourceText> source);
Result<ExpressionPtr> parse_expression(const SourceText& source);

/// A position in the tokens; both parsers move it.
class TokenCursor {
 public:
  TokenCursor(const SourceText& source, std::vector<Token> tokens) : source_(source), tokens_(std::move(tokens)) {}

  const Token& current() const { return tokens_[index_]; }

  const Token& following() const { return tokens_[std::min(index_ + 1, tokens_.size() - 1)]; }

  const Token& previous() const { return tokens_[index_ == 0 ? 0 : index_ - 1]; }

  Token next() { return index_ + 1 < tokens_.size() ? tokens_[index_++] : tokens_[index_]; }

  bool skip_operator(std::string_view symbol);
  bool skip_name(std::string_view name);
  Result<void> expect_operator(std::string_view symbol);
  Result<Token> expect_name();
  Result<void> expect(Token::Kind kind, std::string_view what);
  /// "unexpected X, expected Y" at the current token.
  Error unexpected(std::string_view expected) const;

  Error fail(Span span, std::string code, std::string message, std::string hint = {}) const {
    return error_at(source_, span, std::move(code), std::move(message), std::move(hint));
  }

 private:
  const SourceText& source_;
  std::vector<Token> tokens_;
  std::size_t index_ = 0;
};

class ExpressionParser {
 public:
  explicit ExpressionParser(TokenCursor& tokens) : tokens_(tokens) {}

  Result<ExpressionPtr> expression();
  /// Expressions with commas between them make a tuple. `conditional`: `a if b else c` is read.
  Result<ExpressionPtr> tuple(bool conditional, bool parentheses = false);
  /// Names, and tuples of names in parentheses or not.
  Result<Target> target();
  /// One filter behind its '|', and any number of '| filter'. A null input is a block's body.
  Result<ExpressionPtr> filter(ExpressionPtr input);
  Result<ExpressionPtr> filters(ExpressionPtr input);

 private:
  /// Counts how deep the parser has recursed.
  class Nesting {
   public:
    explicit Nesting(int& level) : level_(level) { ++level_; }

    ~Nesting() { --level_; }

    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

    bool too_deep() const { return level_ > kMaxNesting; }

   private:
    int& level_;
  };

  Result<ExpressionPtr> or_expression();
  Result<ExpressionPtr> and_expression();
  Result<ExpressionPtr> not_expression();
  Result<ExpressionPtr> comparison();
  Result<ExpressionPtr> sum();
  Result<ExpressionPtr> concatenation();
  Result<ExpressionPtr> product();
  Result<ExpressionPtr> power();
  Result<ExpressionPtr> unary(bool with_filters);
  Result<ExpressionPtr> primary();
  Result<ExpressionPtr> list();
  Result<ExpressionPtr> dict();
  Result<ExpressionPtr> postfix(ExpressionPtr node);
  Result<ExpressionPtr> filters_and_tests(ExpressionPtr node);
  Result<ExpressionPtr> test(ExpressionPtr input);
  Result<ExpressionPtr> attribute(ExpressionPtr object);
  Result<ExpressionPtr> subscript(ExpressionPtr object);
  Result<ExpressionPtr> call(ExpressionPtr callee);
  Result<ArgumentNodes> arguments();
  Result<Target> single_target();
  bool at_tuple_end() const;
  /// Sets span and depth; an error when the nesting is too deep.
  Result<ExpressionPtr> finish(ExpressionPtr node, std::size_t begin);
  Result<ExpressionPtr> binary(Expression::Kind kind, std::string name, Span name_span, ExpressionPtr left,
                               ExpressionPtr right);

  TokenCursor& tokens_;
  int nesting_ = 0;
};

}  // namespace sentinel::template_engine
