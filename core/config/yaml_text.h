// SPDX-License-Identifier: Apache-2.0
// Looking at the text of a YAML file again: where a value really begins, and what a person likely meant when the parser
// gave up. Used by yaml.cc only.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/yaml.h"

namespace sentinel {

/// Lines of a text by number. The text must outlive it.
class YamlLines {
 public:
  explicit YamlLines(std::string_view text);

  /// Line `number` (from 1) without its line break; empty outside the text.
  std::string_view line(int number) const;
  /// The rest of that line from `column` (from 1).
  std::string_view from(int number, int column) const;
  /// The rest of the whole text from there.
  std::string_view text_from(int number, int column) const;

  int count() const { return static_cast<int>(starts_.size()); }

  /// The column behind anchors (`&name`) and tags (`!tag`) that begin at `column`.
  int behind_properties(int number, int column) const;

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

/// Offset of the quote that closes the one at the front of `text`; npos when it is on a later line.
std::size_t closing_quote(std::string_view text);

/// The parser's complaint as an error in plain words (`yaml.syntax`), with a hint where the mistake is a usual one.
Error explain_syntax(const std::shared_ptr<const YamlSource>& source, const std::string& complaint, int line,
                     int column);

}  // namespace sentinel
