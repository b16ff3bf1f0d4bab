// SPDX-License-Identifier: Apache-2.0
// Line differences by Myers' algorithm ("An O(ND) Difference Algorithm and Its Variations", 1986), printed as diff -u does.
#pragma once

#include <string>
#include <string_view>

namespace sentinel {

/// Hunks of a unified diff with `context` lines around each change, without the two file lines; empty for equal texts.
/// Texts that differ in more than some thousand lines are shown as removed and added as a whole: no input makes this slow.
std::string unified_diff(std::string_view before, std::string_view after, int context = 3);

}  // namespace sentinel
