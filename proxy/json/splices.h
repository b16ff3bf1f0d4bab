// SPDX-License-Identifier: Apache-2.0
// Edits of a text by byte offset. The result is a list of pieces for one vectored write: what isn't edited is never
// copied, so unknown fields, order and blanks stay as the client wrote them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/json/cursor.h"

namespace sentinel::proxy {

class Splices {
 public:
  /// Spans must not overlap.
  void replace(JsonSpan span, std::string text);

  void insert(std::size_t offset, std::string text) { replace({offset, 0}, std::move(text)); }

  bool empty() const { return edits_.empty(); }

  /// The edited text in order; valid as long as this object and `original` are.
  std::vector<std::string_view> pieces(std::string_view original) const;
  /// Its length in bytes.
  std::size_t size(std::string_view original) const;

 private:
  struct Edit {
    JsonSpan span;
    std::string text;
  };

  std::vector<Edit> edits_;  ///< by offset
};

}  // namespace sentinel::proxy
