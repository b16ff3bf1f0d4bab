// SPDX-License-Identifier: Apache-2.0
// `help [COMMAND]`: the same text as --help.
#include "cli/command_line.h"
#include "cli/commands/commands.h"
#include "cli/man_page.h"

namespace sentinel {
namespace {

class HelpCommand final : public Subcommand {
 public:
  std::string name() const override { return "help"; }
  std::string summary() const override { return "this text, or the manual of a command"; }

  void declare(Declaration& d) override {
    d.argument("COMMAND", command_, "the command to explain");
    d.flag("--man", man_, "as a manual page, for man -l -");
  }

  ExitCode run(const Context& context) override {
    const auto text = man_ ? man_page(context.command_line, command_) : context.command_line.help(command_);
    if (!text.ok()) return context.console.fail(text.error());
    context.console.raw(*text);
    return ExitCode::kDone;
  }

 private:
  std::string command_;
  bool man_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_help_command() { return std::make_unique<HelpCommand>(); }

}  // namespace sentinel
