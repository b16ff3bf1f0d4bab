// SPDX-License-Identifier: Apache-2.0
// UTF-8 texts seen as Python sees them: sequences of code points. Invalid bytes count as one character each.
// Case mapping is C.UTF-8's one-to-one mapping (plus ß -> SS).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/utf8.h"

namespace sentinel::template_engine {

/// Number of code points.
std::size_t length_of(std::string_view text);
/// One text per code point.
std::vector<std::string> characters(std::string_view text);

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
/// First character upper (title) case, the rest lower.
std::string capitalized(std::string_view text);
std::string swap_case(std::string_view text);

/// Python's str.isspace, isprintable, isalpha, isdigit, isupper, islower for one code point.
bool is_space(char32_t code);
bool is_printable(char32_t code);
bool is_letter(char32_t code);
bool is_digit(char32_t code);
bool is_upper(char32_t code);
bool is_lower(char32_t code);
/// What may stand in a name: letters, digits, underscore.
bool is_word(char32_t code);

/// Without leading (trailing) characters of `set`; with `whitespace` set, without whitespace instead.
std::string_view strip_left(std::string_view text, std::string_view set, bool whitespace);
std::string_view strip_right(std::string_view text, std::string_view set, bool whitespace);
/// Without whitespace at both ends.
std::string_view strip_space(std::string_view text);
/// Python's str.splitlines().
std::vector<std::string> split_lines(std::string_view text, bool keep_ends = false);
/// Python's str.split() without arguments, up to `limit` splits (negative: all).
std::vector<std::string> split_words(std::string_view text, long long limit = -1);

}  // namespace sentinel::template_engine
