// SPDX-License-Identifier: Apache-2.0
// UTF-8, strictly: no overlong forms, no surrogates, nothing beyond U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sentinel {

/// Bytes of the valid sequence at `position` (1 to 4), or 0 when there is none.
std::size_t utf8_sequence(std::string_view text, std::size_t position);
/// Offset of the first byte that is not part of valid UTF-8, or npos.
std::size_t invalid_utf8(std::string_view text);
/// The code point at `position`, which moves behind it. An invalid byte is returned as itself.
char32_t next_code_point(std::string_view text, std::size_t& position);
void append_code_point(std::string& out, char32_t code);

}  // namespace sentinel
