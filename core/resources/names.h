// SPDX-License-Identifier: Apache-2.0
// What names, paths and lines must look like before they go into files and command lines.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sentinel {

/// Absolute, normal (no "//", ".", "..", no slash at the end), without control characters. Error `resource.bad-path`.
Result<void> check_path(const std::string& path);
/// No newline or other control character, but tabs. Error `resource.bad-line` naming `what`.
Result<void> check_line(std::string_view what, const std::string& text);

/// A content for a person: the text itself when it is UTF-8 of at most 64 KiB, else "(binary, 12 bytes, sha256 …)".
std::string shown(const std::string& bytes);
/// "0644"
std::string shown_mode(std::uint32_t mode);

}  // namespace sentinel
