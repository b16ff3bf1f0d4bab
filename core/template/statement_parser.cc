// SPDX-License-Identifier: Apache-2.0
// Tags and text. A block's body ends at one of the tags its statement names; the parser knows the tag it waits for, so
// an unclosed block is reported where it was opened.
#include <fmt/format.h>

#include "core/base/suggest.h"
#include "core/template/parser.h"

namespace sentinel::template_engine {
namespace {

using Kind = Statement::Kind;

class StatementParser {
 public:
  StatementParser(TokenCursor& tokens) : tokens_(tokens), expressions_(tokens) {}

  Result<Block> run() {
    SENTINEL_TRY(Block out, block({}, {}));
    return out;
  }

 private:
  /// Reads until a tag named in `ends` is current (behind its '{%'), or the end of the template when there are none.
  Result<Block> block(const std::vector<std::string_view>& ends, Span opened) {
    if (++nesting_ > kMaxNesting) {
      return tokens_.fail(opened, "template.too-deep",
                          fmt::format("blocks are nested more than {} levels deep", kMaxNesting));
    }
    Block out;
    for (;;) {
      const Token token = tokens_.next();
      if (token.kind == Token::Kind::kEnd) {
        if (!ends.empty()) {
          return tokens_.fail(opened, "template.syntax", "this block is not closed",
                              fmt::format("end it with {{% {} %}}", ends.back()));
        }
        break;
      }
      if (token.kind == Token::Kind::kData) {
        Statement text;
        text.kind = Kind::kText;
        text.span = token.span;
        text.text = token.text;
        out.push_back(std::move(text));
      } else if (token.kind == Token::Kind::kVariableBegin) {
        Statement print;
        print.kind = Kind::kPrint;
        SENTINEL_TRY(print.expression, expressions_.tuple(true));
        print.span = print.expression->span;
        SENTINEL_CHECK(tokens_.expect(Token::Kind::kVariableEnd, "'}}'"));
        out.push_back(std::move(print));
      } else {
        const auto& name = tokens_.current().text;
        if (tokens_.current().kind == Token::Kind::kName && std::find(ends.begin(), ends.end(), name) != ends.end())
          break;
        SENTINEL_TRY(Statement statement, tag(ends));
        SENTINEL_CHECK(tokens_.expect(Token::Kind::kBlockEnd, "'%}'"));
        out.push_back(std::move(statement));
      }
    }
    --nesting_;
    return out;
  }

  /// Behind a tag's head: its body up to one of `ends`, which is then current.
  Result<Block> body(const std::vector<std::string_view>& ends, Span opened) {
    tokens_.skip_operator(":");
    SENTINEL_CHECK(tokens_.expect(Token::Kind::kBlockEnd, "'%}'"));
    return block(ends, opened);
  }

  Result<Statement> tag(const std::vector<std::string_view>& ends) {
    SENTINEL_TRY(const Token name, tokens_.expect_name());
    if (name.text == "if") return if_statement(name.span);
    if (name.text == "for") return for_statement(name.span);
    if (name.text == "set") return set_statement(name.span);
    if (name.text == "with") return with_statement(name.span);
    if (name.text == "filter") return filter_statement(name.span);
    if (name.text == "include") return include_statement(name.span);
    static constexpr std::string_view kUnsupported[] = {"macro", "import",     "from", "extends", "block",
                                                        "call",  "autoescape", "do",   "print"};
    if (std::find(std::begin(kUnsupported), std::end(kUnsupported), name.text) != std::end(kUnsupported)) {
      return tokens_.fail(name.span, "template.unsupported", fmt::format("the tag '{}' is not supported", name.text),
                          "use include, set, for and if");
    }
    if (name.text == "elif" || name.text == "else" || name.text.starts_with("end")) {
      std::string hint = ends.empty() ? std::string("no block is open here")
                                      : fmt::format("the open block ends with {{% {} %}}", ends.back());
      return tokens_.fail(name.span, "template.syntax", fmt::format("unexpected '{}'", name.text), std::move(hint));
    }
    return tokens_.fail(
        name.span, "template.unknown-tag", fmt::format("there is no tag '{}'", name.text),
        did_you_mean(name.text, {"if", "for", "set", "with", "filter", "include", "raw", "else", "elif"}));
  }

  Statement make(Kind kind, Span opened) const {
    Statement out;
    out.kind = kind;
    out.span = opened;
    return out;
  }

  Result<Statement> if_statement(Span opened) {
    Statement out = make(Kind::kIf, opened);
    for (;;) {
      Statement::Branch branch;
      SENTINEL_TRY(branch.condition, expressions_.tuple(false));
      SENTINEL_TRY(branch.body, body({"elif", "else", "endif"}, opened));
      out.branches.push_back(std::move(branch));
      const Token end = tokens_.next();
      if (end.text == "elif") continue;
      if (end.text == "else") {
        SENTINEL_TRY(out.otherwise, body({"endif"}, opened));
        tokens_.next();
      }
      return out;
    }
  }

  Result<Statement> for_statement(Span opened) {
    Statement out = make(Kind::kFor, opened);
    SENTINEL_TRY(Target target, expressions_.target());
    SENTINEL_CHECK(forbid_loop(target));
    out.targets.push_back(std::move(target));
    if (!tokens_.skip_name("in")) return tokens_.unexpected("'in'");
    SENTINEL_TRY(out.expression, expressions_.tuple(false));
    if (tokens_.skip_name("if")) {
      SENTINEL_TRY(out.condition, expressions_.expression());
    }
    if (tokens_.current().is_name("recursive")) {
      return tokens_.fail(tokens_.current().span, "template.unsupported", "recursive loops are not supported");
    }
    SENTINEL_TRY(out.body, body({"else", "endfor"}, opened));
    if (tokens_.next().text == "else") {
      SENTINEL_TRY(out.otherwise, body({"endfor"}, opened));
      tokens_.next();
    }
    return out;
  }

  Result<void> forbid_loop(const Target& target) {
    if (target.name == "loop") {
      return tokens_.fail(target.span, "template.reserved-name", "'loop' is the loop itself and can't be its variable");
    }
    for (const auto& part : target.parts) SENTINEL_CHECK(forbid_loop(part));
    return {};
  }

  Result<Statement> set_statement(Span opened) {
    Statement out = make(Kind::kSet, opened);
    Target target;
    if (tokens_.current().kind == Token::Kind::kName && tokens_.following().is_operator(".")) {
      const Token name = tokens_.next();
      tokens_.next();
      SENTINEL_TRY(const Token attribute, tokens_.expect_name());
      target.name = name.text;
      target.attribute = attribute.text;
      target.span = {name.span.begin, attribute.span.end};
    } else {
      SENTINEL_TRY(target, expressions_.target());
    }
    out.targets.push_back(std::move(target));
    if (tokens_.skip_operator("=")) {
      SENTINEL_TRY(out.expression, expressions_.tuple(true));
      return out;
    }
    out.kind = Kind::kSetBlock;
    SENTINEL_TRY(out.expression, expressions_.filters(nullptr));
    SENTINEL_TRY(out.body, body({"endset"}, opened));
    tokens_.next();
    return out;
  }

  Result<Statement> with_statement(Span opened) {
    Statement out = make(Kind::kWith, opened);
    while (tokens_.current().kind != Token::Kind::kBlockEnd) {
      if (!out.targets.empty()) SENTINEL_CHECK(tokens_.expect_operator(","));
      SENTINEL_TRY(Target target, expressions_.target());
      SENTINEL_CHECK(tokens_.expect_operator("="));
      SENTINEL_TRY(ExpressionPtr value, expressions_.expression());
      out.targets.push_back(std::move(target));
      out.values.push_back(std::move(value));
    }
    SENTINEL_TRY(out.body, body({"endwith"}, opened));
    tokens_.next();
    return out;
  }

  Result<Statement> filter_statement(Span opened) {
    Statement out = make(Kind::kFilterBlock, opened);
    SENTINEL_TRY(out.expression, expressions_.filter(nullptr));
    SENTINEL_TRY(out.expression, expressions_.filters(std::move(out.expression)));
    SENTINEL_TRY(out.body, body({"endfilter"}, opened));
    tokens_.next();
    return out;
  }

  Result<Statement> include_statement(Span opened) {
    Statement out = make(Kind::kInclude, opened);
    SENTINEL_TRY(out.expression, expressions_.expression());
    if (tokens_.current().is_name("ignore") && tokens_.following().is_name("missing")) {
      tokens_.next();
      tokens_.next();
      out.ignore_missing = true;
    }
    if ((tokens_.current().is_name("with") || tokens_.current().is_name("without")) &&
        tokens_.following().is_name("context")) {
      out.with_context = tokens_.next().text == "with";
      tokens_.next();
    }
    return out;
  }

  TokenCursor& tokens_;
  ExpressionParser expressions_;
  int nesting_ = 0;
};

}  // namespace

bool TokenCursor::skip_operator(std::string_view symbol) {
  if (!current().is_operator(symbol)) return false;
  next();
  return true;
}

bool TokenCursor::skip_name(std::string_view name) {
  if (!current().is_name(name)) return false;
  next();
  return true;
}

Result<void> TokenCursor::expect_operator(std::string_view symbol) {
  if (skip_operator(symbol)) return {};
  return unexpected(fmt::format("'{}'", symbol));
}

Result<Token> TokenCursor::expect_name() {
  if (current().kind == Token::Kind::kName) return next();
  return unexpected("a name");
}

Result<void> TokenCursor::expect(Token::Kind kind, std::string_view what) {
  if (current().kind != kind) return unexpected(what);
  next();
  return {};
}

Error TokenCursor::unexpected(std::string_view expected) const {
  return fail(current().span, "template.syntax",
              fmt::format("unexpected {}, expected {}", describe(current()), expected));
}

Result<Template> parse_template(std::shared_ptr<const SourceText> source) {
  SENTINEL_TRY(std::vector<Token> found, tokenize(*source));
  TokenCursor tokens(*source, std::move(found));
  SENTINEL_TRY(Block body, StatementParser(tokens).run());
  return Template{std::move(source), std::move(body)};
}

Result<ExpressionPtr> parse_expression(const SourceText& source) {
  SENTINEL_TRY(std::vector<Token> found, tokenize_expression(source));
  TokenCursor tokens(source, std::move(found));
  ExpressionParser parser(tokens);
  SENTINEL_TRY(ExpressionPtr out, parser.tuple(true));
  if (tokens.current().kind != Token::Kind::kEnd) return tokens.unexpected("the end of the expression");
  return out;
}

}  // namespace sentinel::template_engine
