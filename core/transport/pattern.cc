// SPDX-License-Identifier: Apache-2.0
#include "core/transport/pattern.h"

#include <cctype>

namespace sentinel {

namespace {

bool same_letter(char one, char other) {
  return std::tolower(static_cast<unsigned char>(one)) == std::tolower(static_cast<unsigned char>(other));
}

}  // namespace

bool pattern_matches(std::string_view pattern, std::string_view text) {
  // On a mismatch the last star takes one character more: linear in practice, never exponential.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || same_letter(pattern[p], text[t]))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool pattern_list_matches(std::string_view list, char separator, std::string_view text) {
  bool matched = false;
  while (!list.empty()) {
    std::string_view pattern = list.substr(0, list.find(separator));
    list.remove_prefix(pattern.size() == list.size() ? list.size() : pattern.size() + 1);
    const bool negated = !pattern.empty() && pattern.front() == '!';
    if (negated) pattern.remove_prefix(1);
    if (pattern.empty() || !pattern_matches(pattern, text)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

}  // namespace sentinel
