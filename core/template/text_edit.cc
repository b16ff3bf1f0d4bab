// SPDX-License-Identifier: Apache-2.0
// Sizes are checked before anything is built.
#include "core/template/text_edit.h"

#include <algorithm>
#include <limits>

#include "core/template/unicode.h"

namespace sentinel::template_engine {

Result<std::string> replaced(std::string_view text, std::string_view old, std::string_view fresh, std::int64_t count,
                             Budget& budget) {
  auto left = count < 0 ? std::numeric_limits<std::int64_t>::max() : count;
  std::string out;
  if (old.empty()) {
    for (std::size_t i = 0; left > 0 || i < text.size();) {
      if (left > 0) {
        out += fresh;
        --left;
        SENTINEL_CHECK(budget.text(out.size()));
      }
      if (i >= text.size()) break;
      const std::size_t begin = i;
      next_code_point(text, i);
      out += text.substr(begin, i - begin);
    }
    return out;
  }
  std::size_t begin = 0;
  while (left > 0) {
    const auto found = text.find(old, begin);
    if (found == std::string_view::npos) break;
    out += text.substr(begin, found - begin);
    out += fresh;
    begin = found + old.size();
    --left;
    SENTINEL_CHECK(budget.text(out.size()));
  }
  out += text.substr(begin);
  SENTINEL_CHECK(budget.text(out.size()));
  return out;
}

Result<std::string> padded(std::string_view text, std::int64_t width, std::string_view fill, Alignment alignment,
                           Budget& budget) {
  const auto size = static_cast<std::int64_t>(length_of(text));
  if (width <= size) return std::string(text);
  SENTINEL_CHECK(budget.text(static_cast<std::size_t>(width)));
  const std::int64_t pad = width - size;
  SENTINEL_CHECK(budget.text(static_cast<std::size_t>(pad) * fill.size() + text.size()));
  // CPython's centring: an odd space goes left when the width is odd too.
  const std::int64_t left = alignment == Alignment::kLeft    ? 0
                            : alignment == Alignment::kRight ? pad
                                                             : pad / 2 + (pad & width & 1);
  std::string out;
  for (std::int64_t i = 0; i < left; ++i) out += fill;
  out += text;
  for (std::int64_t i = left; i < pad; ++i) out += fill;
  return out;
}

std::string titled_words(std::string_view text) {
  const auto is_separator = [](char32_t code) {
    return is_space(code) || code == U'-' || code == U'(' || code == U'{' || code == U'[' || code == U'<';
  };
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    bool separator = true;
    while (i < text.size()) {
      std::size_t next = i;
      const bool here = is_separator(next_code_point(text, next));
      if (i == begin) separator = here;
      if (here != separator) break;
      i = next;
    }
    const auto run = text.substr(begin, i - begin);
    std::size_t rest = 0;
    next_code_point(run, rest);
    out += separator ? std::string(run) : to_upper(run.substr(0, rest)) + to_lower(run.substr(rest));
  }
  return out;
}

}  // namespace sentinel::template_engine
