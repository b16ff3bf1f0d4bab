// SPDX-License-Identifier: Apache-2.0
// What went wrong, as data: code, message, place, what was being done, and what to try. Libraries build these;
// only core/report turns them into text for people.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/exit_code.h"

namespace sentinel {

/// A place in a text a person wrote. Lines and columns count from 1; columns count bytes.
struct Position {
  std::string file;
  int line = 0;    ///< 0: the file as a whole
  int column = 0;  ///< 0: the line as a whole
  int length = 1;  ///< bytes to underline
  std::string source_line;  ///< the text of that line, without its newline; may be empty when unknown

  bool operator==(const Position&) const = default;
};

/// One failure. `code` is stable, dotted and documented in docs/errors.md ("template.unknown-variable").
/// Never put a secret's value into any field.
struct Error {
  std::string code;
  std::string message;
  std::optional<Position> position;
  std::vector<std::string> context;  ///< what was being done, innermost first; shown as "while: ..."
  std::string hint;                  ///< what to try; empty when we don't know
  ExitCode exit = ExitCode::kFailed;

  Error() = default;

  Error(std::string code_, std::string message_, std::string hint_ = {}, ExitCode exit_ = ExitCode::kFailed)
      : code(std::move(code_)), message(std::move(message_)), hint(std::move(hint_)), exit(exit_) {}

  Error&& at(Position where) && {
    position = std::move(where);
    return std::move(*this);
  }

  Error&& hinted(std::string text) && {
    hint = std::move(text);
    return std::move(*this);
  }

  Error&& exits(ExitCode value) && {
    exit = value;
    return std::move(*this);
  }

  /// Adds one line of "while: ..." on the way up.
  Error&& during(std::string what) && {
    context.push_back(std::move(what));
    return std::move(*this);
  }

  bool operator==(const Error&) const = default;
};

/// Errors collected by a function that reports everything at once instead of stopping at the first.
using Errors = std::vector<Error>;

/// "errno.ENOENT"-style code and strerror text for a failed system call on `subject` (usually a path).
Error system_error(int error_number, const std::string& operation, const std::string& subject);

}  // namespace sentinel
