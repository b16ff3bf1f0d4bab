// SPDX-License-Identifier: Apache-2.0
// Python's number and string literals, both as written in templates and as read by int() and float().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sentinel::template_engine {

struct NumberLiteral {
  std::size_t length = 0;
  bool is_float = false;
};

/// The longest number at the start of `text` (which starts with a digit), by Jinja's rules.
NumberLiteral scan_number(std::string_view text, bool float_allowed);

/// Python's int(text, base): whitespace, sign, underscores, prefixes; nothing when it is no integer, the error
/// `template.overflow` when it is one beyond 64 bits. Base 0 reads the prefix.
Result<std::optional<std::int64_t>> parse_integer(std::string_view text, int base);

/// Python's float(text): also "inf", "nan", underscores and whitespace around.
std::optional<double> parse_float(std::string_view text);

/// The inside of a string literal with its escapes resolved (Python's unicode-escape).
Result<std::string> unescape_string(std::string_view inside);

/// Integers beyond 64 bits are refused rather than wrapped.
Error overflow_error();

}  // namespace sentinel::template_engine
