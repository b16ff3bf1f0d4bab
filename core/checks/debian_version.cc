// SPDX-License-Identifier: Apache-2.0
#include "core/checks/debian_version.h"

#include <algorithm>

namespace sentinel {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// A tilde sorts before the end, the end before letters, letters before everything else.
int weight(std::string_view text) {
  if (text.empty() || is_digit(text.front())) return 0;
  if (text.front() == '~') return -1;
  const auto value = static_cast<unsigned char>(text.front());
  return is_letter(text.front()) ? value : value + 256;
}

std::string_view take_number(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  const auto end = std::min(
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin()), text.size());
  const auto number = text.substr(0, end);
  text.remove_prefix(end);
  return number;
}

/// One part: what is no number and what is one, in turns.
int compare_parts(std::string_view left, std::string_view right) {
  while (!left.empty() || !right.empty()) {
    while ((!left.empty() && !is_digit(left.front())) || (!right.empty() && !is_digit(right.front()))) {
      if (const int difference = weight(left) - weight(right); difference != 0) return difference;
      left.remove_prefix(1);
      right.remove_prefix(1);
    }
    const auto a = take_number(left);
    const auto b = take_number(right);
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    if (const int difference = a.compare(b); difference != 0) return difference;
  }
  return 0;
}

/// What stands before the first colon; none is 0.
std::string_view take_epoch(std::string_view& version) {
  const auto colon = version.find(':');
  if (colon == std::string_view::npos) return "0";
  const auto epoch = version.substr(0, colon);
  version.remove_prefix(colon + 1);
  return epoch;
}

/// What stands behind the last hyphen; none is the same as 0.
std::string_view take_revision(std::string_view& version) {
  const auto hyphen = version.rfind('-');
  if (hyphen == std::string_view::npos) return {};
  const auto revision = version.substr(hyphen + 1);
  version.remove_suffix(version.size() - hyphen);
  return revision;
}

}  // namespace

int compare_versions(std::string_view left, std::string_view right) {
  if (const int order = compare_parts(take_epoch(left), take_epoch(right)); order != 0) return order;
  const auto left_revision = take_revision(left);
  const auto right_revision = take_revision(right);
  if (const int order = compare_parts(left, right); order != 0) return order;
  return compare_parts(left_revision, right_revision);
}

}  // namespace sentinel
