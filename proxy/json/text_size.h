// SPDX-License-Identifier: Apache-2.0
// How much text a prompt or an answer holds, for estimates where the upstream counts no tokens: the bytes of the
// strings a model reads or writes, not of pictures, sound, names of fields or identifiers.
#pragma once

#include <cstddef>

#include "proxy/json/cursor.h"

namespace sentinel::proxy {

/// A rough rule: English text has about four bytes to a token.
inline constexpr std::size_t kBytesPerToken = 4;

constexpr std::size_t estimated_tokens(std::size_t text_bytes) {
  return (text_bytes + kBytesPerToken - 1) / kBytesPerToken;
}

/// Takes the next value and counts: a string whole, a number as the one token it stands for (prompts may be lists of
/// tokens), arrays by element, of objects only the members that carry text.
std::size_t take_text_bytes(JsonCursor& cursor, int depth = 6);

}  // namespace sentinel::proxy
