// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the nearest known word by edit distance.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sentinel {

/// The candidate nearest to `word` (Damerau-Levenshtein, at most a third of the word's length away, at least 1);
/// empty when none is near enough.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
/// "did you mean 'x'?", or an empty string.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sentinel
