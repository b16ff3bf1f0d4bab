// SPDX-License-Identifier: Apache-2.0
// Host patterns of ssh_config and known_hosts (ssh_config(5), PATTERNS): * and ?, lists, negation by !.
#pragma once

#include <string_view>

namespace sentinel {

/// `*` is any run of characters, `?` any one; everything else is itself. Case is ignored.
bool pattern_matches(std::string_view pattern, std::string_view text);

/// At least one of the patterns matches and none of those with `!` does.
bool pattern_list_matches(std::string_view list, char separator, std::string_view text);

}  // namespace sentinel
