// SPDX-License-Identifier: Apache-2.0
// Operators and literals. Each function reads one level of Jinja's precedence, loosest first; note that ** associates
// to the left there, and that ~ binds tighter than + and -.
#include <fmt/format.h>

#include <algorithm>

#include "core/template/parser.h"

namespace sentinel::template_engine {
namespace {

using Kind = Expression::Kind;

ExpressionPtr make(Kind kind) {
  auto node = std::make_unique<Expression>();
  node->kind = kind;
  return node;
}

ExpressionPtr make_constant(Datum value) {
  auto node = make(Kind::kConstant);
  node->constant = std::move(value);
  return node;
}

}  // namespace

Result<ExpressionPtr> ExpressionParser::finish(ExpressionPtr node, std::size_t begin) {
  node->span = {begin, tokens_.previous().span.end};
  const auto consider = [&](const ExpressionPtr& child) {
    if (child != nullptr) node->depth = std::max(node->depth, child->depth + 1);
  };
  for (const auto& child : node->operands) consider(child);
  for (const auto& child : node->arguments.positional) consider(child);
  for (const auto& [name, child] : node->arguments.named) consider(child);
  if (node->depth > kMaxNesting) {
    return tokens_.fail(node->span, "template.too-deep",
                        fmt::format("the expression is nested more than {} levels deep", kMaxNesting));
  }
  return node;
}

Result<ExpressionPtr> ExpressionParser::binary(Kind kind, std::string name, Span name_span, ExpressionPtr left,
                                               ExpressionPtr right) {
  const std::size_t begin = left->span.begin;
  auto node = make(kind);
  node->name = std::move(name);
  node->name_span = name_span;
  node->operands.push_back(std::move(left));
  node->operands.push_back(std::move(right));
  return finish(std::move(node), begin);
}

Result<ExpressionPtr> ExpressionParser::expression() {
  const Nesting nesting(nesting_);
  if (nesting.too_deep()) {
    return tokens_.fail(tokens_.current().span, "template.too-deep",
                        fmt::format("the expression is nested more than {} levels deep", kMaxNesting));
  }
  SENTINEL_TRY(ExpressionPtr value, or_expression());
  while (tokens_.current().is_name("if")) {
    const std::size_t begin = value->span.begin;
    auto node = make(Kind::kConditional);
    node->name_span = tokens_.next().span;
    SENTINEL_TRY(ExpressionPtr condition, or_expression());
    node->operands.push_back(std::move(value));
    node->operands.push_back(std::move(condition));
    node->operands.push_back(nullptr);
    if (tokens_.skip_name("else")) {
      SENTINEL_TRY(node->operands[2], expression());
    }
    SENTINEL_TRY(value, finish(std::move(node), begin));
  }
  return value;
}

Result<ExpressionPtr> ExpressionParser::or_expression() {
  SENTINEL_TRY(ExpressionPtr left, and_expression());
  while (tokens_.current().is_name("or")) {
    const Span span = tokens_.next().span;
    SENTINEL_TRY(ExpressionPtr right, and_expression());
    SENTINEL_TRY(left, binary(Kind::kOr, "or", span, std::move(left), std::move(right)));
  }
  return left;
}

Result<ExpressionPtr> ExpressionParser::and_expression() {
  SENTINEL_TRY(ExpressionPtr left, not_expression());
  while (tokens_.current().is_name("and")) {
    const Span span = tokens_.next().span;
    SENTINEL_TRY(ExpressionPtr right, not_expression());
    SENTINEL_TRY(left, binary(Kind::kAnd, "and", span, std::move(left), std::move(right)));
  }
  return left;
}

Result<ExpressionPtr> ExpressionParser::not_expression() {
  std::vector<Span> nots;
  while (tokens_.current().is_name("not")) nots.push_back(tokens_.next().span);
  SENTINEL_TRY(ExpressionPtr node, comparison());
  for (; !nots.empty(); nots.pop_back()) {
    auto negation = make(Kind::kNot);
    negation->name_span = nots.back();
    negation->operands.push_back(std::move(node));
    SENTINEL_TRY(node, finish(std::move(negation), nots.back().begin));
  }
  return node;
}

Result<ExpressionPtr> ExpressionParser::comparison() {
  SENTINEL_TRY(ExpressionPtr first, sum());
  const std::size_t begin = first->span.begin;
  auto node = make(Kind::kCompare);
  node->operands.push_back(std::move(first));
  for (;;) {
    const Token& token = tokens_.current();
    static constexpr std::string_view kSymbols[] = {"==", "!=", "<", "<=", ">", ">="};
    const bool symbol = token.kind == Token::Kind::kOperator &&
                        std::find(std::begin(kSymbols), std::end(kSymbols), token.text) != std::end(kSymbols);
    if (symbol || token.is_name("in")) {
      if (node->operators.empty()) node->name_span = token.span;
      node->operators.push_back(tokens_.next().text);
    } else if (token.is_name("not") && tokens_.following().is_name("in")) {
      if (node->operators.empty()) node->name_span = token.span;
      tokens_.next();
      tokens_.next();
      node->operators.emplace_back("not in");
    } else {
      break;
    }
    SENTINEL_TRY(ExpressionPtr operand, sum());
    node->operands.push_back(std::move(operand));
  }
  if (node->operators.empty()) return std::move(node->operands.front());
  return finish(std::move(node), begin);
}

Result<ExpressionPtr> ExpressionParser::sum() {
  SENTINEL_TRY(ExpressionPtr left, concatenation());
  while (tokens_.current().is_operator("+") || tokens_.current().is_operator("-")) {
    Token symbol = tokens_.next();
    SENTINEL_TRY(ExpressionPtr right, concatenation());
    SENTINEL_TRY(left, binary(Kind::kBinary, symbol.text, symbol.span, std::move(left), std::move(right)));
  }
  return left;
}

Result<ExpressionPtr> ExpressionParser::concatenation() {
  SENTINEL_TRY(ExpressionPtr first, product());
  if (!tokens_.current().is_operator("~")) return first;
  const std::size_t begin = first->span.begin;
  auto node = make(Kind::kConcat);
  node->name_span = tokens_.current().span;
  node->operands.push_back(std::move(first));
  while (tokens_.skip_operator("~")) {
    SENTINEL_TRY(ExpressionPtr next, product());
    node->operands.push_back(std::move(next));
  }
  return finish(std::move(node), begin);
}

Result<ExpressionPtr> ExpressionParser::product() {
  SENTINEL_TRY(ExpressionPtr left, power());
  for (;;) {
    const Token& token = tokens_.current();
    if (!token.is_operator("*") && !token.is_operator("/") && !token.is_operator("//") && !token.is_operator("%"))
      return left;
    Token symbol = tokens_.next();
    SENTINEL_TRY(ExpressionPtr right, power());
    SENTINEL_TRY(left, binary(Kind::kBinary, symbol.text, symbol.span, std::move(left), std::move(right)));
  }
}

Result<ExpressionPtr> ExpressionParser::power() {
  SENTINEL_TRY(ExpressionPtr left, unary(true));
  while (tokens_.current().is_operator("**")) {
    Token symbol = tokens_.next();
    SENTINEL_TRY(ExpressionPtr right, unary(true));
    SENTINEL_TRY(left, binary(Kind::kBinary, symbol.text, symbol.span, std::move(left), std::move(right)));
  }
  return left;
}

Result<ExpressionPtr> ExpressionParser::unary(bool with_filters) {
  std::vector<Token> signs;
  while (tokens_.current().is_operator("-") || tokens_.current().is_operator("+")) signs.push_back(tokens_.next());
  SENTINEL_TRY(ExpressionPtr node, primary());
  SENTINEL_TRY(node, postfix(std::move(node)));
  // As in Jinja, a filter behind a sign applies to the signed value: -1 | abs is (-1) | abs.
  for (; !signs.empty(); signs.pop_back()) {
    auto sign = make(Kind::kUnary);
    sign->name = signs.back().text;
    sign->name_span = signs.back().span;
    sign->operands.push_back(std::move(node));
    SENTINEL_TRY(node, finish(std::move(sign), signs.back().span.begin));
  }
  if (with_filters) return filters_and_tests(std::move(node));
  return node;
}

Result<ExpressionPtr> ExpressionParser::primary() {
  const Token token = tokens_.current();
  switch (token.kind) {
    case Token::Kind::kName: {
      tokens_.next();
      if (token.text == "true" || token.text == "True")
        return finish(make_constant(Datum::boolean(true)), token.span.begin);
      if (token.text == "false" || token.text == "False")
        return finish(make_constant(Datum::boolean(false)), token.span.begin);
      if (token.text == "none" || token.text == "None") return finish(make_constant(Datum()), token.span.begin);
      auto node = make(Kind::kName);
      node->name = token.text;
      return finish(std::move(node), token.span.begin);
    }
    case Token::Kind::kString: {
      std::string text;
      while (tokens_.current().kind == Token::Kind::kString) text += tokens_.next().text;
      return finish(make_constant(Datum::text(std::move(text))), token.span.begin);
    }
    case Token::Kind::kInteger:
      tokens_.next();
      return finish(make_constant(Datum::integer(token.integer)), token.span.begin);
    case Token::Kind::kFloat: tokens_.next(); return finish(make_constant(Datum::real(token.real)), token.span.begin);
    default: break;
  }
  if (token.is_operator("(")) {
    tokens_.next();
    SENTINEL_TRY(ExpressionPtr inside, tuple(true, true));
    SENTINEL_CHECK(tokens_.expect_operator(")"));
    return inside;
  }
  if (token.is_operator("[")) return list();
  if (token.is_operator("{")) return dict();
  return tokens_.unexpected("an expression");
}

bool ExpressionParser::at_tuple_end() const {
  const Token& token = tokens_.current();
  return token.kind == Token::Kind::kVariableEnd || token.kind == Token::Kind::kBlockEnd ||
         token.kind == Token::Kind::kEnd || token.is_operator(")");
}

Result<ExpressionPtr> ExpressionParser::tuple(bool conditional, bool parentheses) {
  const std::size_t begin = tokens_.current().span.begin;
  auto node = make(Kind::kTuple);
  bool comma = false;
  while (!at_tuple_end()) {
    SENTINEL_TRY(ExpressionPtr item, conditional ? expression() : or_expression());
    node->operands.push_back(std::move(item));
    if (!tokens_.skip_operator(",")) break;
    comma = true;
  }
  if (!comma && !node->operands.empty()) return std::move(node->operands.front());
  if (node->operands.empty() && !parentheses) return tokens_.unexpected("an expression");
  return finish(std::move(node), begin);
}

Result<ExpressionPtr> ExpressionParser::list() {
  const std::size_t begin = tokens_.next().span.begin;
  auto node = make(Kind::kList);
  while (!tokens_.current().is_operator("]")) {
    if (!node->operands.empty()) {
      SENTINEL_CHECK(tokens_.expect_operator(","));
      if (tokens_.current().is_operator("]")) break;
    }
    SENTINEL_TRY(ExpressionPtr item, expression());
    node->operands.push_back(std::move(item));
  }
  SENTINEL_CHECK(tokens_.expect_operator("]"));
  return finish(std::move(node), begin);
}

Result<ExpressionPtr> ExpressionParser::dict() {
  const std::size_t begin = tokens_.next().span.begin;
  auto node = make(Kind::kDict);
  while (!tokens_.current().is_operator("}")) {
    if (!node->operands.empty()) {
      SENTINEL_CHECK(tokens_.expect_operator(","));
      if (tokens_.current().is_operator("}")) break;
    }
    SENTINEL_TRY(ExpressionPtr key, expression());
    SENTINEL_CHECK(tokens_.expect_operator(":"));
    SENTINEL_TRY(ExpressionPtr value, expression());
    node->operands.push_back(std::move(key));
    node->operands.push_back(std::move(value));
  }
  SENTINEL_CHECK(tokens_.expect_operator("}"));
  return finish(std::move(node), begin);
}

}  // namespace sentinel::template_engine
