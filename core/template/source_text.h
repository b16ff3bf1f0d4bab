// SPDX-License-Identifier: Apache-2.0
// A template's text and the way from byte offsets in it to positions in the file a person wrote.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/template/options.h"

namespace sentinel::template_engine {

/// Bytes [begin, end) of a template's text.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

class SourceText {
 public:
  SourceText(std::string text, TemplateOrigin origin);

  const std::string& text() const { return text_; }

  const std::string& file() const { return origin_.file; }

  /// Line and column in the file; a span over several lines is underlined to the end of its first.
  Position position(Span span) const;

 private:
  std::string text_;
  TemplateOrigin origin_;
};

/// An error of the renderer: usage exit code, the span's position.
Error error_at(const SourceText& source, Span span, std::string code, std::string message, std::string hint = {});

/// Gives an error without a position the span's; one that has a position keeps it.
Error located(Error error, const SourceText& source, Span span);

}  // namespace sentinel::template_engine
