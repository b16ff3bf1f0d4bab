// SPDX-License-Identifier: Apache-2.0
// Percent-encoding of paths, and which paths may be passed on as they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sentinel::proxy {

/// "%41" becomes "A"; what is no valid escape stays as it is.
std::string percent_decoded(std::string_view text);

/// Whether every server reads this path alike: no empty, "." or ".." segment, and no escaped slash, backslash, percent
/// or control byte that a second decoding could turn into one.
bool is_plain_path(std::string_view path);

/// Whether a pattern of the list fits the whole path; a trailing '*' stands for any rest.
bool is_listed(const std::vector<std::string>& patterns, std::string_view path);

}  // namespace sentinel::proxy
