// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/percent.h"

#include <algorithm>

namespace sentinel::proxy {
namespace {

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

/// The byte an escape at `at` stands for, or -1.
int escaped_byte(std::string_view text, std::size_t at) {
  if (text[at] != '%' || at + 2 >= text.size()) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const int byte = escaped_byte(text, at);
    out.push_back(byte < 0 ? text[at] : static_cast<char>(byte));
    if (byte >= 0) at += 2;
  }
  return out;
}

bool is_plain_path(std::string_view path) {
  for (std::size_t at = 0; at < path.size(); ++at) {
    const int byte = escaped_byte(path, at);
    if (path[at] == '\\' || (path[at] == '%' && byte < 0)) return false;
    if (byte == '/' || byte == '\\' || byte == '%' || (byte >= 0 && byte < 0x20)) return false;
  }
  const std::string decoded = percent_decoded(path);
  std::string_view rest = decoded;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the slash
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, end);
    if (segment == "." || segment == ".." || (segment.empty() && end < rest.size())) return false;
    rest.remove_prefix(end);
  }
  return true;
}

bool is_listed(const std::vector<std::string>& patterns, std::string_view path) {
  return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
    if (!pattern.ends_with('*')) return pattern == path;
    pattern.remove_suffix(1);
    return path.starts_with(pattern);
  });
}

}  // namespace sentinel::proxy
