// SPDX-License-Identifier: Apache-2.0
// Plain read and write: a question has to end at once when the operator presses Ctrl-C, which buffered streams don't
// do.
#include "cli/console.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "core/report/diagnostic.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

bool wants_colour(int fd, const ConsoleOptions& options) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  return isatty(fd) == 1 && !options.no_colour && (no_color == nullptr || *no_color == '\0') && !dumb;
}

int number_in(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::atoi(text);
}

// Echo off while it lives.
class Unseen {
 public:
  Unseen() {
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    active_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }

  ~Unseen() {
    if (active_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }

  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;

 private:
  termios before_{};
  bool active_ = false;
};

}  // namespace

Console::Console(const ConsoleOptions& options, int interrupt_fd) : options_(options), interrupt_fd_(interrupt_fd) {
  talk_terminal_ = isatty(STDERR_FILENO) == 1;
  interactive_ = talk_terminal_ && isatty(STDIN_FILENO) == 1;
  output_style_.colour = wants_colour(STDOUT_FILENO, options);
  talk_style_.colour = wants_colour(STDERR_FILENO, options);
}

void Console::write(int fd, const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      if (fd == STDOUT_FILENO) output_failed_ = true;
      return;
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Console::data(const std::string& text) {
  if (!json()) write(STDOUT_FILENO, text);
}

void Console::document(const Document& document) {
  if (json()) write(STDOUT_FILENO, options_.events ? document_line(document) : document_text(document));
}

void Console::raw(const std::string& text) {
  write(STDOUT_FILENO, text);
}

void Console::say(const std::string& text) {
  write(STDERR_FILENO, text);
}

void Console::warn(const Errors& warnings) {
  for (const Error& warning : warnings) say(render_warning(warning, {talk_style_.colour}));
}

void Console::show(const Errors& errors) {
  if (!errors.empty()) say(render_errors(errors, {talk_style_.colour}));
}

ExitCode Console::fail(const Errors& errors) {
  show(errors);
  document(failure_document(errors));
  return errors.empty() ? ExitCode::kFailed : errors.front().exit;
}

Result<std::string> Console::read_line() {
  std::string line;
  for (;;) {
    std::array<pollfd, 2> watched{{{STDIN_FILENO, POLLIN, 0}, {interrupt_fd_, POLLIN, 0}}};
    if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) {
      return system_error(errno, "wait for", "the terminal");
    }
    if ((watched[1].revents & POLLIN) != 0) {
      return Error("run.interrupted", "interrupted", "", ExitCode::kInterrupted);
    }
    if (watched[0].revents == 0) continue;
    char byte = 0;
    const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
    if (got <= 0) return Error("console.closed", "the terminal was closed", "", ExitCode::kInterrupted);
    if (byte == '\n') return line;
    line += byte;
  }
}

Result<bool> Console::ask(const std::string& question) {
  const std::lock_guard lock(questions_);
  if (!interactive_) {
    return Error("console.not-interactive", "a person has to answer, and there is no terminal",
                 "pass --yes to go on without a question", ExitCode::kUsage);
  }
  for (;;) {
    say(question + " [yes/no] ");
    auto line = read_line();
    if (!line.ok()) {
      say("\n");
      return std::move(line).error();
    }
    if (*line == "yes" || *line == "y") return true;
    if (*line == "no" || *line == "n") return false;
  }
}

Result<Secret> Console::ask_secret(const std::string& prompt) {
  const std::lock_guard lock(questions_);
  if (!interactive_) {
    return Error("console.not-interactive", "a password is needed, and there is no terminal to ask on", "",
                 ExitCode::kUsage);
  }
  // Before the prompt: whoever answers at once must neither be seen nor lose what was typed.
  const Unseen unseen;
  say(printable_line(prompt));
  auto line = read_line();
  say("\n");
  if (!line.ok()) return std::move(line).error();
  return Secret(std::move(*line));
}

std::unique_ptr<Progress> Console::make_progress() {
  const auto talk = [this](const std::string& text) { say(text); };
  if (options_.events) return make_event_stream([this](const std::string& text) { raw(text); });
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  if (talk_terminal_ && !dumb) return make_terminal_progress(talk, talk_style_, terminal_size);
  return make_plain_progress(talk);
}

TerminalSize terminal_size() {
  TerminalSize size;
  winsize window{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
    size.columns = window.ws_col;
    if (window.ws_row > 0) size.rows = window.ws_row;
  }
  if (const int columns = number_in("COLUMNS"); columns > 0) size.columns = columns;
  if (const int rows = number_in("LINES"); rows > 0) size.rows = rows;
  return size;
}

}  // namespace sentinel
