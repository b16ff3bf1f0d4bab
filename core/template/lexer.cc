// SPDX-License-Identifier: Apache-2.0
// Follows jinja2.lexer step by step (trim_blocks and lstrip_blocks on), since whitespace is where renderers differ.
#include "core/template/lexer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/template/literals.h"
#include "core/template/unicode.h"

namespace sentinel::template_engine {
namespace {

using Kind = Token::Kind;

class Lexer {
 public:
  explicit Lexer(const SourceText& source) : source_(source), text_(source.text()) {}

  Result<std::vector<Token>> run() {
    while (position_ < text_.size()) SENTINEL_CHECK(next_part());
    return finish();
  }

  Result<std::vector<Token>> run_expression() {
    while (skip_space()) SENTINEL_CHECK(next_inside());
    if (!open_.empty()) return unclosed();
    return finish();
  }

 private:
  Result<std::vector<Token>> finish() {
    tokens_.push_back({Kind::kEnd, {}, 0, 0, {text_.size(), text_.size()}});
    return std::move(tokens_);
  }

  Error fail(std::size_t begin, std::size_t end, std::string message, std::string hint = {}) const {
    return error_at(source_, {begin, end}, "template.syntax", std::move(message), std::move(hint));
  }

  bool at(std::size_t position, std::string_view what) const { return text_.substr(position, what.size()) == what; }

  std::size_t behind_space(std::size_t position) const {
    return text_.size() - strip_left(text_.substr(position), {}, true).size();
  }

  void add_data(std::size_t begin, std::size_t end) {
    if (end > begin)
      tokens_.push_back({Kind::kData, std::string(text_.substr(begin, end - begin)), 0, 0, {begin, end}});
  }

  /// The data in front of a tag: `-` strips it, a block or comment alone on its line takes its indentation away.
  std::size_t data_end(std::size_t begin, std::size_t tag, char sign, bool is_variable) const {
    const auto data = text_.substr(begin, tag - begin);
    if (sign == '-') return begin + strip_right(data, {}, true).size();
    if (sign == '+' || is_variable) return tag;
    const auto line_break = data.rfind('\n');
    const std::size_t line = line_break == std::string_view::npos ? 0 : line_break + 1;
    if (line == 0 && !line_starting_) return tag;
    return strip_space(data.substr(line)).empty() ? begin + line : tag;
  }

  /// Behind `-%}` and its whitespace, `+%}`, or `%}` and one newline; npos when none of them stands there.
  std::size_t behind_end(std::size_t position, std::string_view close, bool trims_newline) const {
    if (at(position, "-") && at(position + 1, close)) return behind_space(position + 1 + close.size());
    if (trims_newline && at(position, "+") && at(position + 1, close)) return position + 1 + close.size();
    if (!at(position, close)) return std::string_view::npos;
    const std::size_t end = position + close.size();
    return trims_newline && at(end, "\n") ? end + 1 : end;
  }

  void move_to(std::size_t position) {
    line_starting_ = position > 0 && text_[position - 1] == '\n';
    position_ = position;
  }

  /// One stretch of data and the tag behind it.
  Result<void> next_part() {
    std::size_t tag = position_;
    for (;; ++tag) {
      tag = text_.find('{', tag);
      if (tag == std::string_view::npos || tag + 1 >= text_.size()) {
        add_data(position_, text_.size());
        position_ = text_.size();
        return {};
      }
      if (const char next = text_[tag + 1]; next == '{' || next == '%' || next == '#') break;
    }
    const char type = text_[tag + 1];
    const char sign = tag + 2 < text_.size() ? text_[tag + 2] : '\0';
    add_data(position_, data_end(position_, tag, sign, type == '{'));
    const std::size_t begin = tag + (sign == '-' || sign == '+' ? 3 : 2);
    if (type == '#') return comment(tag, begin);
    if (type == '%') {
      const std::size_t name = behind_space(begin);
      if (at(name, "raw")) {
        const std::size_t end = behind_end(behind_space(name + 3), "%}", false);
        if (end != std::string_view::npos) return raw(tag, end);
      }
    }
    tokens_.push_back({type == '{' ? Kind::kVariableBegin : Kind::kBlockBegin, {}, 0, 0, {tag, begin}});
    move_to(begin);
    return inside(tag, type == '{');
  }

  Result<void> comment(std::size_t tag, std::size_t begin) {
    std::size_t close = text_.find("#}", begin);
    if (close == std::string_view::npos) return fail(tag, tag + 2, "this comment is not closed", "end it with #}");
    if (close > begin && (text_[close - 1] == '-' || text_[close - 1] == '+')) --close;
    move_to(behind_end(close, "#}", true));
    return {};
  }

  Result<void> raw(std::size_t tag, std::size_t begin) {
    move_to(begin);
    for (std::size_t i = begin;; ++i) {
      i = text_.find("{%", i);
      if (i == std::string_view::npos)
        return fail(tag, begin, "this raw block is not closed", "end it with {% endraw %}");
      const char sign = i + 2 < text_.size() ? text_[i + 2] : '\0';
      const std::size_t name = behind_space(i + (sign == '-' || sign == '+' ? 3 : 2));
      if (!at(name, "endraw")) continue;
      const std::size_t end = behind_end(behind_space(name + 6), "%}", true);
      if (end == std::string_view::npos) continue;
      add_data(begin, data_end(begin, i, sign, false));
      move_to(end);
      return {};
    }
  }

  Result<void> inside(std::size_t tag, bool is_variable) {
    open_.clear();
    const std::string_view close = is_variable ? "}}" : "%}";
    for (;;) {
      // An end tag only counts when all brackets are closed: {{ {'a': {}} }}.
      if (open_.empty()) {
        const std::size_t space = behind_space(position_);
        const std::size_t end = behind_end(space, close, !is_variable);
        if (end != std::string_view::npos) {
          tokens_.push_back({is_variable ? Kind::kVariableEnd : Kind::kBlockEnd,
                             std::string(close),
                             0,
                             0,
                             {text_.find(close, space), text_.find(close, space) + 2}});
          move_to(end);
          return {};
        }
      }
      if (!skip_space()) {
        if (!open_.empty()) return unclosed();
        return fail(tag, tag + 2, fmt::format("this '{}' is not closed", text_.substr(tag, 2)),
                    fmt::format("end it with {}", close));
      }
      SENTINEL_CHECK(next_inside());
    }
  }

  Error unclosed() const {
    const auto& [bracket, where] = open_.back();
    return fail(where, where + 1, fmt::format("this '{}' is not closed", bracket));
  }

  bool skip_space() {
    position_ = behind_space(position_);
    return position_ < text_.size();
  }

  void add(Kind kind, std::size_t end, std::string text) {
    tokens_.push_back({kind, std::move(text), 0, 0, {position_, end}});
    position_ = end;
  }

  Result<void> next_inside() {
    const std::size_t begin = position_;
    const char first = text_[begin];
    if (is_digit(static_cast<unsigned char>(first))) return number();
    if (first == '\'' || first == '"') return string(first);
    std::size_t end = begin;
    while (end < text_.size()) {
      std::size_t next = end;
      if (!is_word(next_code_point(text_, next))) break;
      end = next;
    }
    if (end > begin) {
      add(Kind::kName, end, std::string(text_.substr(begin, end - begin)));
      return {};
    }
    return operation();
  }

  Result<void> operation() {
    static constexpr std::string_view kOperators[] = {"**", "//", "==", "!=", ">=", "<=", "+", "-", "/",
                                                      "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                      ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
    const std::size_t begin = position_;
    for (const auto symbol : kOperators) {
      if (!at(begin, symbol)) continue;
      SENTINEL_CHECK(balance(symbol));
      add(Kind::kOperator, begin + symbol.size(), std::string(symbol));
      return {};
    }
    std::size_t end = begin;
    next_code_point(text_, end);
    return fail(begin, end, fmt::format("unexpected character '{}'", text_.substr(begin, end - begin)));
  }

  Result<void> balance(std::string_view symbol) {
    const char c = symbol.front();
    if (c == '(' || c == '[' || c == '{') open_.emplace_back(c, position_);
    if (c != ')' && c != ']' && c != '}') return {};
    if (open_.empty()) return fail(position_, position_ + 1, fmt::format("unexpected '{}'", c));
    const char open = open_.back().first;
    const char expected = open == '(' ? ')' : open == '[' ? ']' : '}';
    if (c != expected)
      return fail(position_, position_ + 1, fmt::format("unexpected '{}', expected '{}'", c, expected));
    open_.pop_back();
    return {};
  }

  Result<void> number() {
    const bool behind_dot = position_ > 0 && text_[position_ - 1] == '.';
    const NumberLiteral literal = scan_number(text_.substr(position_), !behind_dot);
    const std::size_t end = position_ + literal.length;
    const std::string digits(text_.substr(position_, literal.length));
    if (literal.is_float) {
      const auto value = parse_float(digits);
      tokens_.push_back({Kind::kFloat, digits, 0, value.value_or(0), {position_, end}});
    } else {
      const auto value = parse_integer(digits, 0);
      if (!value.ok()) return located(value.error(), source_, {position_, end});
      if (!*value) return fail(position_, end, fmt::format("'{}' is not a number", digits));
      tokens_.push_back({Kind::kInteger, digits, **value, 0, {position_, end}});
    }
    position_ = end;
    return {};
  }

  Result<void> string(char quote) {
    const std::size_t begin = position_;
    std::size_t end = begin + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) return fail(begin, begin + 1, "this string is not closed");
    auto value = unescape_string(text_.substr(begin + 1, end - begin - 1));
    if (!value.ok()) return located(std::move(value).error(), source_, {begin, end + 1});
    add(Kind::kString, end + 1, std::move(*value));
    return {};
  }

  const SourceText& source_;
  const std::string_view text_;
  std::size_t position_ = 0;
  bool line_starting_ = true;
  std::vector<std::pair<char, std::size_t>> open_;  ///< brackets not yet closed, and where they stand
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> tokenize(const SourceText& source) {
  return Lexer(source).run();
}

Result<std::vector<Token>> tokenize_expression(const SourceText& source) {
  return Lexer(source).run_expression();
}

std::string describe(const Token& token) {
  switch (token.kind) {
    case Kind::kData: return "text";
    case Kind::kVariableBegin: return "'{{'";
    case Kind::kBlockBegin: return "'{%'";
    case Kind::kVariableEnd: return "'}}'";
    case Kind::kBlockEnd: return "'%}'";
    case Kind::kString: return "a string";
    case Kind::kEnd: return "the end";
    default: return "'" + token.text + "'";
  }
}

std::string normalized_newlines(std::string text) {
  if (text.find('\r') == std::string::npos) return text;
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
      continue;
    }
    out += '\n';
    if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
  }
  return out;
}

}  // namespace sentinel::template_engine
