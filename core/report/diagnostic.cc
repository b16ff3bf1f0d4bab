// SPDX-License-Identifier: Apache-2.0
// Columns in positions count bytes; the caret counts characters, so both are mapped here and nowhere else.
#include "core/report/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace sentinel {
namespace {

constexpr std::size_t kShownColumns = 110;

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// One character for one: tabs become a space, control characters a '?'.
std::string harmless(const std::string& text, bool keep_newlines) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\t') {
      out += ' ';
    } else if (c == '\n' && keep_newlines) {
      out += c;
    } else {
      out += byte < 0x20 || byte == 0x7f ? '?' : c;
    }
  }
  return out;
}

struct Excerpt {
  std::string line;
  std::size_t caret = 0;   ///< characters in front of the marks
  std::size_t length = 1;  ///< characters marked
};

Excerpt excerpt_of(const Position& position) {
  std::string line = harmless(position.source_line, false);
  auto begin = std::min<std::size_t>(static_cast<std::size_t>(std::max(position.column, 1)) - 1, line.size());
  auto end = std::min<std::size_t>(begin + static_cast<std::size_t>(std::max(position.length, 1)), line.size());
  std::size_t cut = begin > kShownColumns * 2 / 3 && line.size() > kShownColumns ? begin - kShownColumns / 3 : 0;
  while (cut > 0 && cut < line.size() && is_continuation(line[cut])) --cut;
  std::size_t stop = std::min(line.size(), cut + kShownColumns);
  while (stop < line.size() && is_continuation(line[stop])) ++stop;
  const bool more = stop < line.size();
  line = line.substr(cut, stop - cut);
  begin -= cut;
  end = std::min(end - cut, line.size());
  const auto characters = [&](std::size_t from, std::size_t to) {
    return static_cast<std::size_t>(std::count_if(line.begin() + static_cast<std::ptrdiff_t>(from),
                                                  line.begin() + static_cast<std::ptrdiff_t>(to),
                                                  [](char c) { return !is_continuation(c); }));
  };
  Excerpt out;
  out.caret = characters(0, begin) + (cut > 0 ? 3 : 0);
  out.length = std::max<std::size_t>(1, characters(begin, std::max(begin, end)));
  out.line = (cut > 0 ? "..." : "") + line + (more ? "..." : "");
  return out;
}

std::string place(const Position& position) {
  std::string out = position.file;
  if (position.line > 0) out += fmt::format(":{}", position.line);
  if (position.line > 0 && position.column > 0) out += fmt::format(":{}", position.column);
  return out;
}

std::string render(const char* word, const char* color, const Error& error, const DiagnosticStyle& style) {
  const auto paint = [&](const char* code, const std::string& text) {
    return style.color ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  };
  std::string out = paint(color, fmt::format("{}[{}]", word, error.code)) + ": " + harmless(error.message, true) + "\n";
  if (error.position && !(error.position->file.empty() && error.position->line == 0)) {
    const auto& position = *error.position;
    const std::string number = std::to_string(position.line);
    const std::size_t width = std::max<std::size_t>(2, number.size());
    const std::string blank(width, ' ');
    out += fmt::format("{}--> {}\n", blank, harmless(place(position), false));
    if (!position.source_line.empty() && position.line > 0) {
      const Excerpt excerpt = excerpt_of(position);
      out += fmt::format("{} |\n{:>{}} | {}\n", blank, number, width, excerpt.line);
      if (position.column > 0) {
        out += fmt::format("{} | {}{}\n", blank, std::string(excerpt.caret, ' '),
                           paint(color, std::string(excerpt.length, '^')));
      }
    }
  }
  for (const auto& context : error.context) out += fmt::format("  while: {}\n", harmless(context, false));
  if (!error.hint.empty()) out += fmt::format("   hint: {}\n", harmless(error.hint, false));
  return out;
}

}  // namespace

std::string render_error(const Error& error, const DiagnosticStyle& style) {
  return render("error", "1;31", error, style);
}

std::string render_warning(const Error& warning, const DiagnosticStyle& style) {
  return render("warning", "1;33", warning, style);
}

std::string render_errors(const Errors& errors, const DiagnosticStyle& style) {
  std::string out;
  for (const auto& error : errors) {
    if (!out.empty()) out += "\n";
    out += render_error(error, style);
  }
  if (errors.size() > 1) out += fmt::format("\n{} errors\n", errors.size());
  return out;
}

}  // namespace sentinel
