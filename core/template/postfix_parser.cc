// SPDX-License-Identifier: Apache-2.0
// What stands behind a value: attributes, subscripts, calls, filters and tests; and the targets of assignments.
#include <fmt/format.h>

#include "core/base/suggest.h"
#include "core/template/parser.h"

namespace sentinel::template_engine {
namespace {

using Kind = Expression::Kind;

ExpressionPtr make_with(Kind kind, ExpressionPtr operand) {
  auto node = std::make_unique<Expression>();
  node->kind = kind;
  node->operands.push_back(std::move(operand));
  return node;
}

}  // namespace

Result<ExpressionPtr> ExpressionParser::postfix(ExpressionPtr node) {
  for (;;) {
    if (tokens_.current().is_operator(".")) {
      SENTINEL_TRY(node, attribute(std::move(node)));
    } else if (tokens_.current().is_operator("[")) {
      SENTINEL_TRY(node, subscript(std::move(node)));
    } else if (tokens_.current().is_operator("(")) {
      SENTINEL_TRY(node, call(std::move(node)));
    } else {
      return node;
    }
  }
}

Result<ExpressionPtr> ExpressionParser::filters_and_tests(ExpressionPtr node) {
  for (;;) {
    if (tokens_.current().is_operator("|")) {
      SENTINEL_TRY(node, filters(std::move(node)));
    } else if (tokens_.current().is_name("is")) {
      SENTINEL_TRY(node, test(std::move(node)));
    } else if (tokens_.current().is_operator("(")) {
      SENTINEL_TRY(node, call(std::move(node)));
    } else {
      return node;
    }
  }
}

Result<ExpressionPtr> ExpressionParser::attribute(ExpressionPtr object) {
  const std::size_t begin = object->span.begin;
  tokens_.next();
  const Token name = tokens_.next();
  if (name.kind == Token::Kind::kName) {
    auto node = make_with(Kind::kAttribute, std::move(object));
    node->name = name.text;
    node->name_span = name.span;
    return finish(std::move(node), begin);
  }
  if (name.kind != Token::Kind::kInteger) {
    return tokens_.fail(name.span, "template.syntax",
                        fmt::format("unexpected {}, expected a name or a number", describe(name)));
  }
  auto index = std::make_unique<Expression>();
  index->constant = Datum::integer(name.integer);
  index->span = name.span;
  auto node = make_with(Kind::kItem, std::move(object));
  node->name_span = name.span;
  node->operands.push_back(std::move(index));
  return finish(std::move(node), begin);
}

Result<ExpressionPtr> ExpressionParser::subscript(ExpressionPtr object) {
  const std::size_t begin = object->span.begin;
  const Span bracket = tokens_.next().span;
  ExpressionPtr bounds[3];
  bool slice = false;
  for (int i = 0; i < 3; ++i) {
    if (!tokens_.current().is_operator(":") && !tokens_.current().is_operator("]")) {
      SENTINEL_TRY(bounds[i], expression());
    }
    if (i == 2 || !tokens_.skip_operator(":")) break;
    slice = true;
  }
  if (!slice && bounds[0] == nullptr) return tokens_.unexpected("an index");
  const Span inside{bracket.end, tokens_.current().span.begin};
  SENTINEL_CHECK(tokens_.expect_operator("]"));
  auto node = make_with(slice ? Kind::kSlice : Kind::kItem, std::move(object));
  node->name_span = inside;
  node->operands.push_back(std::move(bounds[0]));
  if (slice) {
    node->operands.push_back(std::move(bounds[1]));
    node->operands.push_back(std::move(bounds[2]));
  }
  return finish(std::move(node), begin);
}

Result<ExpressionPtr> ExpressionParser::call(ExpressionPtr callee) {
  const std::size_t begin = callee->span.begin;
  auto node = make_with(Kind::kCall, std::move(callee));
  SENTINEL_TRY(node->arguments, arguments());
  node->name_span = node->operands[0]->span;
  return finish(std::move(node), begin);
}

Result<ArgumentNodes> ExpressionParser::arguments() {
  ArgumentNodes out;
  SENTINEL_CHECK(tokens_.expect_operator("("));
  while (!tokens_.current().is_operator(")")) {
    if (!out.positional.empty() || !out.named.empty()) {
      SENTINEL_CHECK(tokens_.expect_operator(","));
      if (tokens_.current().is_operator(")")) break;
    }
    const Token token = tokens_.current();
    if (token.is_operator("*") || token.is_operator("**")) {
      return tokens_.fail(token.span, "template.unsupported", "arguments can't be unpacked here",
                          "write them one by one");
    }
    if (token.kind == Token::Kind::kName && tokens_.following().is_operator("=")) {
      for (const auto& [name, value] : out.named) {
        if (name == token.text)
          return tokens_.fail(token.span, "template.syntax", fmt::format("the argument '{}' is given twice", name));
      }
      tokens_.next();
      tokens_.next();
      SENTINEL_TRY(ExpressionPtr value, expression());
      out.named.emplace_back(token.text, std::move(value));
      continue;
    }
    if (!out.named.empty()) {
      return tokens_.fail(token.span, "template.syntax", "an argument without a name can't follow one with a name");
    }
    SENTINEL_TRY(ExpressionPtr value, expression());
    out.positional.push_back(std::move(value));
  }
  SENTINEL_CHECK(tokens_.expect_operator(")"));
  return out;
}

Result<ExpressionPtr> ExpressionParser::filters(ExpressionPtr input) {
  while (tokens_.skip_operator("|")) {
    SENTINEL_TRY(input, filter(std::move(input)));
  }
  return input;
}

Result<ExpressionPtr> ExpressionParser::filter(ExpressionPtr input) {
  SENTINEL_TRY(const Token name, tokens_.expect_name());
  const std::size_t begin = input != nullptr ? input->span.begin : name.span.begin;
  auto node = make_with(Kind::kFilter, std::move(input));
  node->name = name.text;
  node->name_span = name.span;
  node->filter = find_filter(name.text);
  if (node->filter == nullptr) {
    return tokens_.fail(name.span, "template.unknown-filter", fmt::format("there is no filter '{}'", name.text),
                        did_you_mean(name.text, filter_names()));
  }
  if (tokens_.current().is_operator("(")) {
    SENTINEL_TRY(node->arguments, arguments());
  }
  return finish(std::move(node), begin);
}

Result<ExpressionPtr> ExpressionParser::test(ExpressionPtr input) {
  const std::size_t begin = input->span.begin;
  tokens_.next();
  const bool negated = tokens_.skip_name("not");
  SENTINEL_TRY(const Token name, tokens_.expect_name());
  auto node = make_with(Kind::kTest, std::move(input));
  node->name = name.text;
  node->name_span = name.span;
  node->test = find_test(name.text);
  if (node->test == nullptr) {
    return tokens_.fail(name.span, "template.unknown-test", fmt::format("there is no test '{}'", name.text),
                        did_you_mean(name.text, test_names()));
  }
  const Token& token = tokens_.current();
  const bool value_follows = token.kind == Token::Kind::kName || token.kind == Token::Kind::kString ||
                             token.kind == Token::Kind::kInteger || token.kind == Token::Kind::kFloat ||
                             token.is_operator("[") || token.is_operator("{");
  if (token.is_operator("(")) {
    SENTINEL_TRY(node->arguments, arguments());
  } else if (value_follows && !token.is_name("else") && !token.is_name("or") && !token.is_name("and")) {
    if (token.is_name("is")) {
      return tokens_.fail(token.span, "template.syntax", "tests can't be chained with 'is'",
                          "write 'a is x and a is y'");
    }
    SENTINEL_TRY(ExpressionPtr argument, primary());
    SENTINEL_TRY(argument, postfix(std::move(argument)));
    node->arguments.positional.push_back(std::move(argument));
  }
  SENTINEL_TRY(ExpressionPtr tested, finish(std::move(node), begin));
  if (!negated) return tested;
  return finish(make_with(Kind::kNot, std::move(tested)), begin);
}

Result<Target> ExpressionParser::single_target() {
  const Nesting nesting(nesting_);
  const Token token = tokens_.current();
  if (nesting.too_deep()) return tokens_.fail(token.span, "template.too-deep", "the target is nested too deeply");
  if (token.is_operator("(")) {
    tokens_.next();
    SENTINEL_TRY(Target inside, target());
    SENTINEL_CHECK(tokens_.expect_operator(")"));
    return inside;
  }
  static constexpr std::string_view kConstants[] = {"true", "True", "false", "False", "none", "None"};
  const bool constant = std::find(std::begin(kConstants), std::end(kConstants), token.text) != std::end(kConstants);
  if (token.kind != Token::Kind::kName || constant) {
    return tokens_.fail(token.span, "template.syntax", fmt::format("can't assign to {}", describe(token)));
  }
  if (token.text == "secrets") {
    return tokens_.fail(token.span, "template.reserved-name", "'secrets' is reserved and can't be assigned");
  }
  Target out;
  out.span = tokens_.next().span;
  out.name = token.text;
  return out;
}

Result<Target> ExpressionParser::target() {
  Target out;
  out.span = tokens_.current().span;
  bool comma = false;
  while (!at_tuple_end()) {
    SENTINEL_TRY(Target part, single_target());
    out.parts.push_back(std::move(part));
    if (!tokens_.skip_operator(",")) break;
    comma = true;
  }
  if (out.parts.empty()) return tokens_.unexpected("a name");
  if (!comma) return std::move(out.parts.front());
  out.span.end = tokens_.previous().span.end;
  return out;
}

}  // namespace sentinel::template_engine
