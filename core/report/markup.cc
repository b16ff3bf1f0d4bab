// SPDX-License-Identifier: Apache-2.0
// Everything passes printable_line first, so what is left to escape is ASCII and the two noncharacters XML forbids.
#include "core/report/markup.h"

#include <algorithm>

#include "core/report/printable.h"

namespace sentinel {

std::string markup_text(std::string_view text) {
  // XML 1.0, production 2 (Char), excludes U+FFFE and U+FFFF, which are valid UTF-8.
  constexpr std::string_view kNoncharacters[] = {"\xEF\xBF\xBE", "\xEF\xBF\xBF"};
  const std::string line = printable_line(text);
  std::string out;
  out.reserve(line.size());
  for (std::size_t at = 0; at < line.size(); ++at) {
    switch (line[at]) {
      case '&': out += "&amp;"; continue;
      case '<': out += "&lt;"; continue;
      case '>': out += "&gt;"; continue;
      case '"': out += "&quot;"; continue;
      case '\'': out += "&#39;"; continue;
      default: break;
    }
    const std::string_view three = std::string_view(line).substr(at, 3);
    if (three == kNoncharacters[0] || three == kNoncharacters[1]) {
      out += three == kNoncharacters[0] ? "\\ufffe" : "\\uffff";
      at += 2;
    } else {
      out += line[at];
    }
  }
  return out;
}

// CommonMark 0.31, 6.1: the span ends at a run of as many backticks as it began with; one space inside each end is
// stripped when both are there.
std::string markdown_code(std::string_view text) {
  const std::string line = printable_line(text);
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : line) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const bool blank = line.find_first_not_of(' ') == std::string::npos;
  const bool padded =
      !blank && (line.front() == '`' || line.back() == '`' || (line.front() == ' ' && line.back() == ' '));
  const std::string fence(longest + 1, '`');
  const std::string pad = padded ? " " : "";
  return line.empty() ? std::string() : fence + pad + line + pad + fence;
}

std::string markdown_text_of(std::string_view text) {
  constexpr std::string_view kSpecial = "\\`*_{}[]<>()#+-.!|~&@:";
  std::string out;
  for (const char c : printable_line(text)) {
    if (kSpecial.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace sentinel
