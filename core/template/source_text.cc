// SPDX-License-Identifier: Apache-2.0
// Line numbers are counted only when an error needs them.
#include "core/template/source_text.h"

#include <algorithm>

namespace sentinel::template_engine {
namespace {

/// The `number`-th line (from 1) of `text` without its line break.
std::string_view line_of(std::string_view text, int number) {
  std::size_t begin = 0;
  for (int line = 1; line < number; ++line) {
    const auto next = text.find('\n', begin);
    if (next == std::string_view::npos) return {};
    begin = next + 1;
  }
  auto line = text.substr(begin, text.find('\n', begin) - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

SourceText::SourceText(std::string text, TemplateOrigin origin) : text_(std::move(text)), origin_(std::move(origin)) {}

Position SourceText::position(Span span) const {
  const std::string_view text = text_;
  const std::size_t begin = std::min(span.begin, text.size());
  const auto breaks = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
  const auto line_break = begin == 0 ? std::string_view::npos : text.rfind('\n', begin - 1);
  const std::size_t line_begin = line_break == std::string_view::npos ? 0 : line_break + 1;
  const std::size_t line_end = std::min(text.find('\n', begin), text.size());

  Position out;
  out.file = origin_.file;
  out.line = origin_.line + static_cast<int>(breaks);
  out.column = static_cast<int>(begin - line_begin) + (breaks == 0 ? origin_.column : 1 + origin_.indent);
  out.length = static_cast<int>(std::max<std::size_t>(1, std::min(span.end, line_end) - std::min(begin, line_end)));
  if (span.end <= begin) out.length = 1;
  out.source_line =
      origin_.whole_file.empty() ? line_of(text, static_cast<int>(breaks) + 1) : line_of(origin_.whole_file, out.line);
  if (static_cast<std::size_t>(out.column) <= out.source_line.size() + 1) return out;
  // A text that is folded over several lines of its file doesn't run in step with it: then the place is where it
  // begins.
  out.line = origin_.line;
  out.source_line = line_of(origin_.whole_file, out.line);
  out.column = std::min(origin_.column, static_cast<int>(out.source_line.size()) + 1);
  out.length = std::max(1, static_cast<int>(out.source_line.size()) + 1 - out.column);
  return out;
}

Error error_at(const SourceText& source, Span span, std::string code, std::string message, std::string hint) {
  return Error(std::move(code), std::move(message), std::move(hint), ExitCode::kUsage).at(source.position(span));
}

Error located(Error error, const SourceText& source, Span span) {
  if (!error.position) error.position = source.position(span);
  return error;
}

}  // namespace sentinel::template_engine
