// SPDX-License-Identifier: Apache-2.0
// Hand-written scanners: the C library's parsers depend on the locale and accept what Python doesn't.
#include "core/template/literals.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "core/template/unicode.h"

namespace sentinel::template_engine {
namespace {

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

/// Digits of `base` with single underscores between them (and in front, when `leading`), from `position`.
std::size_t scan_digits(std::string_view text, std::size_t position, int base, bool leading_underscore) {
  std::size_t end = position;
  bool underscore_allowed = leading_underscore;
  while (end < text.size()) {
    if (digit_value(text[end]) < base) {
      ++end;
    } else if (text[end] == '_' && underscore_allowed && end + 1 < text.size() && digit_value(text[end + 1]) < base) {
      end += 2;
    } else {
      break;
    }
    underscore_allowed = true;
  }
  return end;
}

std::string without_underscores(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_') out += c;
  }
  return out;
}

/// Underscores only between digits, as int() and float() want them.
bool underscores_fit(std::string_view text, int base) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') continue;
    if (i == 0 || i + 1 == text.size() || digit_value(text[i - 1]) >= base || digit_value(text[i + 1]) >= base)
      return false;
  }
  return true;
}

int prefix_base(std::string_view text) {
  if (text.size() < 2 || text[0] != '0') return 0;
  switch (text[1] | 0x20) {
    case 'x': return 16;
    case 'o': return 8;
    case 'b': return 2;
    default: return 0;
  }
}

}  // namespace

Error overflow_error() {
  return Error("template.overflow", "the number doesn't fit into 64 bits", {}, ExitCode::kUsage);
}

NumberLiteral scan_number(std::string_view text, bool float_allowed) {
  const std::size_t whole = scan_digits(text, 0, 10, false);
  if (float_allowed) {
    std::size_t end = whole;
    if (end < text.size() && text[end] == '.' && end + 1 < text.size() && digit_value(text[end + 1]) < 10) {
      end = scan_digits(text, end + 1, 10, false);
    }
    std::size_t exponent = end;
    if (exponent < text.size() && (text[exponent] | 0x20) == 'e') {
      ++exponent;
      if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
      if (exponent < text.size() && digit_value(text[exponent]) < 10) end = scan_digits(text, exponent, 10, false);
    }
    if (end > whole) return {end, true};
  }
  if (const int base = prefix_base(text); base != 0) {
    const std::size_t end = scan_digits(text, 2, base, true);
    if (end > 2) return {end, false};
  }
  // A leading zero stands alone: 012 is two tokens, and then a syntax error.
  if (text[0] == '0') return {scan_digits(text, 0, 1, false), false};
  return {whole, false};
}

Result<std::optional<std::int64_t>> parse_integer(std::string_view text, int base) {
  text = strip_space(text);
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (const int prefixed = prefix_base(text); prefixed != 0 && (base == 0 || base == prefixed)) {
    base = prefixed;
    text.remove_prefix(2);
    if (text.starts_with('_')) text.remove_prefix(1);
  } else if (base == 0) {
    base = 10;
    if (text.size() > 1 && text[0] == '0' && text.find_first_not_of("0_") != std::string_view::npos)
      return {std::nullopt};
  }
  if (text.empty() || !underscores_fit(text, base)) return {std::nullopt};
  std::int64_t value = 0;
  bool overflow = false;
  for (const char c : text) {
    if (c == '_') continue;
    const int digit = digit_value(c);
    if (digit >= base) return {std::nullopt};
    // Built downwards, so that the smallest number fits.
    overflow = overflow || __builtin_mul_overflow(value, static_cast<std::int64_t>(base), &value) ||
               __builtin_sub_overflow(value, static_cast<std::int64_t>(digit), &value);
  }
  if (!negative) overflow = overflow || __builtin_sub_overflow(std::int64_t{0}, value, &value);
  if (overflow) return overflow_error();
  return {value};
}

std::optional<double> parse_float(std::string_view text) {
  text = strip_space(text);
  if (!underscores_fit(text, 10)) return std::nullopt;
  std::string digits = without_underscores(text);
  std::string_view rest = digits;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest.empty() || rest[0] == '+' || rest[0] == '-') return std::nullopt;
  const std::string word = to_lower(rest);
  double value = 0;
  if (word == "inf" || word == "infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (word == "nan") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    if (digit_value(rest[0]) >= 10 && rest[0] != '.') return std::nullopt;
    const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (end != rest.data() + rest.size()) return std::nullopt;
    if (code == std::errc::result_out_of_range) {
      // Too large or too small: from_chars leaves the value alone; the exponent's sign tells which.
      const auto exponent = word.find('e');
      const bool tiny = exponent != std::string::npos && exponent + 1 < word.size() && word[exponent + 1] == '-';
      value = tiny || word.find_first_not_of("0.") == std::string::npos ? 0.0 : std::numeric_limits<double>::infinity();
    } else if (code != std::errc()) {
      return std::nullopt;
    }
  }
  return negative ? -value : value;
}

Result<std::string> unescape_string(std::string_view inside) {
  std::string out;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != '\\' || i + 1 >= inside.size()) {
      out += inside[i];
      continue;
    }
    const char c = inside[++i];
    static constexpr std::string_view kNames = "abfnrtv\\'\"\n";
    static constexpr std::string_view kValues("\a\b\f\n\r\t\v\\'\"\0", 11);
    if (const auto simple = kNames.find(c); simple != std::string_view::npos) {
      if (c != '\n') out += kValues[simple];
    } else if (c >= '0' && c <= '7') {
      char32_t code = 0;
      for (int count = 0; count < 3 && i < inside.size() && inside[i] >= '0' && inside[i] <= '7'; ++count, ++i) {
        code = code * 8 + static_cast<char32_t>(inside[i] - '0');
      }
      --i;
      append_code_point(out, code);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const std::size_t width = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      char32_t code = 0;
      for (std::size_t k = 1; k <= width; ++k) {
        const int digit = i + k < inside.size() ? digit_value(inside[i + k]) : 99;
        if (digit >= 16) {
          return Error("template.syntax", fmt::format("\\{} needs {} hexadecimal digits", c, width), {},
                       ExitCode::kUsage);
        }
        code = code * 16 + static_cast<char32_t>(digit);
      }
      if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return Error("template.syntax", fmt::format("\\{} names no character", c), {}, ExitCode::kUsage);
      }
      append_code_point(out, code);
      i += width;
    } else if (c == 'N') {
      return Error("template.syntax", "\\N{...} is not supported", "write the character itself, or \\u and its number",
                   ExitCode::kUsage);
    } else {
      out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace sentinel::template_engine
