// SPDX-License-Identifier: Apache-2.0
// Debian's order of versions (deb-version(7), Policy 5.6.12).
#pragma once

#include <string_view>

namespace sentinel {

/// Negative when `left` is older, zero when both are the same, positive when `left` is newer. Any text has its place.
int compare_versions(std::string_view left, std::string_view right);

}  // namespace sentinel
