// SPDX-License-Identifier: Apache-2.0
// What a host or a file says is shown to people, but never drives their terminal: control characters and invisible
// direction marks are written as escapes. Every text that comes from outside passes here before it is printed.
#pragma once

#include <string>
#include <string_view>

namespace sentinel {

/// One line: every control character (also newline and tab) becomes an escape; bytes that aren't UTF-8 become \xNN.
std::string printable_line(std::string_view text);

/// Several lines: as printable_line, but newlines and tabs stay.
std::string printable_text(std::string_view text);

/// Columns a terminal needs for a text without control characters: one per code point, two for wide East Asian ones, none
/// for combining marks.
int display_width(std::string_view text);

/// At most `columns` wide; a text that is cut ends in "…".
std::string shortened(std::string_view text, int columns);

}  // namespace sentinel
