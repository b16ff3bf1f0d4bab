// SPDX-License-Identifier: Apache-2.0
// The operator's end: data goes to standard output, talk to standard error, questions only to a terminal.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "core/base/error.h"
#include "core/base/exit_code.h"
#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/report/documents.h"
#include "core/report/progress.h"
#include "core/report/style.h"

namespace sentinel {

struct ConsoleOptions {
  bool json = false;
  bool events = false;
  bool no_colour = false;
};

/// Output may come from any thread; questions are asked one at a time.
class Console {
 public:
  /// `interrupt_fd`: readable when the operator gave up; ends waiting for an answer.
  Console(const ConsoleOptions& options, int interrupt_fd);

  /// What the command was asked for, as text for people. Nothing with --json.
  void data(const std::string& text);
  /// What the command was asked for, as JSON; nothing without --json. One line with --events.
  void document(const Document& document);
  /// A line of an event stream or other text that belongs on standard output in any case.
  void raw(const std::string& text);
  /// Talk.
  void say(const std::string& text);
  void warn(const Errors& warnings);

  /// Diagnostics to standard error.
  void show(const Errors& errors);
  /// The end of a command that never came to its hosts: diagnostics, with --json also the failure document; the exit
  /// code of the first error.
  ExitCode fail(const Errors& errors);

  ExitCode fail(const Error& error) { return fail(Errors{error}); }

  /// Whether a person can be asked: both standard input and standard error are terminals.
  bool interactive() const { return interactive_; }

  /// "yes" or "no"; anything else asks again, end of input means no. Errors: `console.not-interactive` (usage),
  /// `run.interrupted`.
  Result<bool> ask(const std::string& question);
  /// Without echo.
  Result<Secret> ask_secret(const std::string& prompt);

  bool json() const { return options_.json || options_.events; }

  Style output_style() const { return output_style_; }

  Style talk_style() const { return talk_style_; }

  /// The display for a run, made for where the output goes.
  std::unique_ptr<Progress> make_progress();

  /// True when a write to standard output failed: the reader is gone, or the disk is full.
  bool output_failed() const { return output_failed_; }

 private:
  void write(int fd, const std::string& text);
  Result<std::string> read_line();

  ConsoleOptions options_;
  int interrupt_fd_;
  bool interactive_ = false;
  bool talk_terminal_ = false;
  bool output_failed_ = false;
  Style output_style_;
  Style talk_style_;
  std::mutex questions_;
};

/// Columns and rows of the terminal behind standard error; COLUMNS and LINES win, 80 by 24 when nothing is known.
TerminalSize terminal_size();

}  // namespace sentinel
