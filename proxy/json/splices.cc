// SPDX-License-Identifier: Apache-2.0
#include "proxy/json/splices.h"

#include <algorithm>

namespace sentinel::proxy {

void Splices::replace(JsonSpan span, std::string text) {
  const auto place = std::upper_bound(edits_.begin(), edits_.end(), span.offset,
                                      [](std::size_t offset, const Edit& edit) { return offset < edit.span.offset; });
  edits_.insert(place, {span, std::move(text)});
}

std::vector<std::string_view> Splices::pieces(std::string_view original) const {
  std::vector<std::string_view> pieces;
  pieces.reserve(edits_.size() * 2 + 1);
  std::size_t at = 0;
  for (const Edit& edit : edits_) {
    if (edit.span.offset > at) pieces.push_back(original.substr(at, edit.span.offset - at));
    if (!edit.text.empty()) pieces.push_back(edit.text);
    at = edit.span.offset + edit.span.size;
  }
  if (at < original.size()) pieces.push_back(original.substr(at));
  return pieces;
}

std::size_t Splices::size(std::string_view original) const {
  std::size_t size = original.size();
  for (const Edit& edit : edits_) size += edit.text.size() - edit.span.size;
  return size;
}

}  // namespace sentinel::proxy
