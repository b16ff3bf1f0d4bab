// SPDX-License-Identifier: Apache-2.0
// `completion SHELL`: a completion script made from the same tree that parses.
#include "cli/commands/commands.h"
#include "cli/completion_script.h"

namespace sentinel {
namespace {

class CompletionCommand final : public Subcommand {
 public:
  std::string name() const override { return "completion"; }
  std::string summary() const override { return "a completion script for bash, zsh or fish"; }

  void declare(Declaration& d) override { d.choice("SHELL", shell_, {"bash", "zsh", "fish"}, "bash, zsh or fish"); }

  ExitCode run(const Context& context) override {
    context.console.raw(completion_script(shell_, context.command_line));
    return ExitCode::kDone;
  }

 private:
  std::string shell_;
};

}  // namespace

std::unique_ptr<Subcommand> make_completion_command() { return std::make_unique<CompletionCommand>(); }

}  // namespace sentinel
