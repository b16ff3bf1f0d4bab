// SPDX-License-Identifier: Apache-2.0
// The table at the end turns yaml-cpp's messages into ours; one that is not listed is shown as it is.
#include "core/config/yaml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sentinel {

YamlLines::YamlLines(std::string_view text) : text_(text), starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') starts_.push_back(i + 1);
  }
}

std::string_view YamlLines::line(int number) const {
  if (number < 1 || static_cast<std::size_t>(number) > starts_.size()) return {};
  const std::size_t begin = starts_[static_cast<std::size_t>(number) - 1];
  auto out = text_.substr(begin, text_.find('\n', begin) - begin);
  if (out.ends_with('\r')) out.remove_suffix(1);
  return out;
}

std::string_view YamlLines::from(int number, int column) const {
  const auto text = line(number);
  return column < 1 || static_cast<std::size_t>(column) > text.size()
             ? std::string_view()
             : text.substr(static_cast<std::size_t>(column) - 1);
}

std::string_view YamlLines::text_from(int number, int column) const {
  if (number < 1 || column < 1 || number > count()) return {};
  return text_.substr(
      std::min(text_.size(), starts_[static_cast<std::size_t>(number) - 1] + static_cast<std::size_t>(column) - 1));
}

int YamlLines::behind_properties(int number, int column) const {
  for (auto rest = from(number, column); rest.starts_with('&') || rest.starts_with('!'); rest = from(number, column)) {
    const auto end = rest.find(' ');
    if (end == std::string_view::npos) break;
    column += static_cast<int>(
        rest.find_first_not_of(' ', end) == std::string_view::npos ? end : rest.find_first_not_of(' ', end));
  }
  return column;
}

std::size_t closing_quote(std::string_view text) {
  if (text.empty()) return std::string_view::npos;
  const char quote = text[0];
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '\'' && i + 1 < text.size() && text[i + 1] == '\'') {
        ++i;
      } else {
        return i;
      }
    }
  }
  return std::string_view::npos;
}

namespace {

struct Explanation {
  std::string_view complaint;
  std::string_view message;
  std::string_view hint;
};

constexpr std::array<Explanation, 15> kExplanations{{
    {"end of map not found", "this line does not fit the mapping above it",
     "check the indentation: keys of one mapping stand in one column"},
    {"end of map flow not found", "a '{' is not closed", "add the missing '}'"},
    {"end of sequence not found", "this line does not fit the list above it",
     "check the indentation: the '-' of one list stand in one column"},
    {"end of sequence flow not found", "a '[' is not closed", "add the missing ']'"},
    {"illegal EOF in scalar", "a quote is not closed", "add the missing quote"},
    {"illegal map value", "a ':' where no value can begin", "put quotes around a text that holds ': '"},
    {"illegal map key", "a key where none can stand", "check the indentation"},
    {"illegal block entry", "a '- ' where no list item can stand", "check the indentation"},
    {"illegal flow end", "a closing bracket without its opening one", ""},
    {"unknown token", "no value can begin with this character", "put quotes around the text"},
    {"bad character found while scanning hex number", "a bad hexadecimal escape",
     "write \\xHH or \\uHHHH with hexadecimal digits"},
    {"unknown escape character: ", "an unknown escape in a double-quoted text",
     "write '\\\\' for a backslash, or use single quotes"},
    {"the referenced anchor is not defined: ", "an alias names an anchor that is not defined above it", ""},
    {"illegal tab when looking for indentation", "a tab in the indentation", "indent with spaces"},
    {"unexpected character in block scalar", "text behind '|' or '>'", "the text of a block begins on the next line"},
}};

bool begins_with_tab(std::string_view line) {
  const auto text = line.find_first_not_of(" \t");
  return line.substr(0, text).find('\t') != std::string_view::npos;
}

bool has_bare_template(std::string_view line) {
  return line.find(": {{") != std::string_view::npos || line.find("- {{") != std::string_view::npos ||
         line.find(": {%") != std::string_view::npos;
}

}  // namespace

Error explain_syntax(const std::shared_ptr<const YamlSource>& source, const std::string& complaint, int line,
                     int column) {
  const YamlLines lines(source->text);
  std::string message = complaint;
  std::string hint;
  for (const auto& entry : kExplanations) {
    if (complaint.starts_with(entry.complaint)) {
      message = entry.message;
      const std::string detail = complaint.substr(entry.complaint.size());
      if (!detail.empty()) message += ": " + detail;
      hint = entry.hint;
    }
  }
  // What is missing at the end of the file is looked for behind the last line that holds something.
  line = std::min(line, lines.count());
  while (line > 1 && lines.line(line).find_first_not_of(' ') == std::string_view::npos) {
    --line;
    column = static_cast<int>(lines.line(line).size()) + 1;
  }
  // The parser often notices one line late.
  for (int number = line; number >= std::max(1, line - 1); --number) {
    if (begins_with_tab(lines.line(number))) {
      message = "a tab in the indentation";
      hint = "indent with spaces";
      line = number;
      column = static_cast<int>(lines.line(number).find('\t')) + 1;
      break;
    }
    if (has_bare_template(lines.line(number))) {
      Position position;
      position.file = source->path;
      position.line = number;
      position.column = static_cast<int>(lines.line(number).find("{")) + 1;
      position.length = 2;
      position.source_line = lines.line(number);
      return Error("yaml.bare-template", "a value that begins with '{{' needs quotes", "write \"{{ name }}\"",
                   ExitCode::kUsage)
          .at(position);
    }
  }
  Position position;
  position.file = source->path;
  position.line = std::max(line, 1);
  position.column = std::max(column, 1);
  position.source_line = lines.line(position.line);
  return Error("yaml.syntax", message, hint, ExitCode::kUsage).at(position);
}

}  // namespace sentinel
