// SPDX-License-Identifier: Apache-2.0
// Text operations that both filters and methods offer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/template/budget.h"

namespace sentinel::template_engine {

/// Python's str.replace; a negative count replaces all. An empty `old` stands between all characters.
Result<std::string> replaced(std::string_view text, std::string_view old, std::string_view fresh, std::int64_t count,
                             Budget& budget);
/// Python's str.center, ljust, rjust: `fill` is one character.
enum class Alignment { kLeft, kRight, kCenter };
Result<std::string> padded(std::string_view text, std::int64_t width, std::string_view fill, Alignment alignment,
                           Budget& budget);
/// Jinja's title filter: letters after whitespace, '-', '(', '{', '[' or '<' become upper case, all others lower case.
std::string titled_words(std::string_view text);

}  // namespace sentinel::template_engine
