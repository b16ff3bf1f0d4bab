// SPDX-License-Identifier: Apache-2.0
// Character classes come from glibc's built-in C.UTF-8 locale, so they don't depend on the machine's settings.
#include "core/template/unicode.h"

#include <locale.h>
#include <wctype.h>

#include <algorithm>

namespace sentinel::template_engine {
namespace {

locale_t unicode_locale() {
  static const locale_t kLocale = [] {
    const locale_t found = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return found != nullptr ? found : ::newlocale(LC_CTYPE_MASK, "C", nullptr);
  }();
  return kLocale;
}

template <typename Convert>
std::string convert(std::string_view text, Convert each) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    const char32_t code = next_code_point(text, i);
    if (utf8_sequence(text, begin) == 0) {
      out += text[begin];
    } else {
      each(out, code, begin == 0);
    }
  }
  return out;
}

void append_upper(std::string& out, char32_t code) {
  if (code == U'ß') {
    out += "SS";
  } else {
    append_code_point(out, static_cast<char32_t>(towupper_l(static_cast<wint_t>(code), unicode_locale())));
  }
}

void append_lower(std::string& out, char32_t code) {
  append_code_point(out, static_cast<char32_t>(towlower_l(static_cast<wint_t>(code), unicode_locale())));
}

bool is_line_break(char32_t code) {
  return (code >= 0x0A && code <= 0x0D) || (code >= 0x1C && code <= 0x1E) || code == 0x85 || code == 0x2028 ||
         code == 0x2029;
}

bool in_set(char32_t code, std::string_view set, bool whitespace) {
  if (whitespace) return is_space(code);
  for (std::size_t i = 0; i < set.size();) {
    if (next_code_point(set, i) == code) return true;
  }
  return false;
}

}  // namespace

std::size_t length_of(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) next_code_point(text, i);
  return count;
}

std::vector<std::string> characters(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    next_code_point(text, i);
    out.emplace_back(text.substr(begin, i - begin));
  }
  return out;
}

std::string to_upper(std::string_view text) {
  return convert(text, [](std::string& out, char32_t code, bool) { append_upper(out, code); });
}

std::string to_lower(std::string_view text) {
  return convert(text, [](std::string& out, char32_t code, bool) { append_lower(out, code); });
}

std::string capitalized(std::string_view text) {
  return convert(text, [](std::string& out, char32_t code, bool first) {
    if (first && code == U'ß') {
      out += "Ss";
    } else if (first) {
      append_upper(out, code);
    } else {
      append_lower(out, code);
    }
  });
}

std::string swap_case(std::string_view text) {
  return convert(text, [](std::string& out, char32_t code, bool) {
    if (is_upper(code)) {
      append_lower(out, code);
    } else {
      append_upper(out, code);
    }
  });
}

bool is_space(char32_t code) {
  return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F ||
         code == 0x205F || code == 0x3000;
}

bool is_printable(char32_t code) {
  if (code < 0x7F) return code >= 0x20;
  if (code == 0xAD || is_space(code)) return false;
  return iswprint_l(static_cast<wint_t>(code), unicode_locale()) != 0 &&
         // Format characters: printable for glibc, not for Python.
         !(code >= 0x200B && code <= 0x200F) && !(code >= 0x202A && code <= 0x202E) &&
         !(code >= 0x2060 && code <= 0x206F) && code != 0xFEFF && !(code >= 0xE000 && code <= 0xF8FF) &&
         !(code >= 0xE0000 && code <= 0xE007F) && code < 0xF0000;
}

bool is_letter(char32_t code) {
  return iswalpha_l(static_cast<wint_t>(code), unicode_locale()) != 0 && !is_digit(code);
}

bool is_digit(char32_t code) {
  return code >= U'0' && code <= U'9';
}

bool is_upper(char32_t code) {
  return iswupper_l(static_cast<wint_t>(code), unicode_locale()) != 0;
}

bool is_lower(char32_t code) {
  return iswlower_l(static_cast<wint_t>(code), unicode_locale()) != 0;
}

bool is_word(char32_t code) {
  return code == U'_' || is_digit(code) || is_letter(code);
}

std::string_view strip_left(std::string_view text, std::string_view set, bool whitespace) {
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t next = i;
    if (!in_set(next_code_point(text, next), set, whitespace)) break;
    i = next;
  }
  return text.substr(i);
}

std::string_view strip_right(std::string_view text, std::string_view set, bool whitespace) {
  while (!text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && text.size() - begin < 4 && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80U) --begin;
    if (begin + utf8_sequence(text, begin) != text.size()) begin = text.size() - 1;
    std::size_t position = begin;
    if (!in_set(next_code_point(text, position), set, whitespace)) break;
    text = text.substr(0, begin);
  }
  return text;
}

std::string_view strip_space(std::string_view text) {
  return strip_right(strip_left(text, {}, true), {}, true);
}

std::vector<std::string> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = i;
    const char32_t code = next_code_point(text, i);
    if (!is_line_break(code)) continue;
    if (code == U'\r' && i < text.size() && text[i] == '\n') ++i;
    out.emplace_back(text.substr(begin, (keep_ends ? i : end) - begin));
    begin = i;
  }
  if (begin < text.size()) out.emplace_back(text.substr(begin));
  return out;
}

std::vector<std::string> split_words(std::string_view text, long long limit) {
  std::vector<std::string> out;
  text = strip_left(text, {}, true);
  while (!text.empty()) {
    if (limit >= 0 && static_cast<long long>(out.size()) == limit) {
      out.emplace_back(text);
      break;
    }
    std::size_t end = 0;
    while (end < text.size()) {
      std::size_t next = end;
      if (is_space(next_code_point(text, next))) break;
      end = next;
    }
    out.emplace_back(text.substr(0, end));
    text = strip_left(text.substr(end), {}, true);
  }
  return out;
}

}  // namespace sentinel::template_engine
