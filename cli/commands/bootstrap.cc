// SPDX-License-Identifier: Apache-2.0
// `bootstrap [USER@ADDRESS]`: from a bare host to a hardened, monitored one. Reads like the list in
// docs/architecture.md: no step looks back, nothing on the host changes before the question was answered.
#include <fmt/format.h>

#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/run.h"

namespace sentinel {
namespace {

class BootstrapCommand final : public Subcommand {
 public:
  std::string name() const override { return "bootstrap"; }

  std::string summary() const override { return "turn a bare host into a hardened, monitored one"; }

  void declare(Declaration& d) override {
    d.argument("USER@ADDRESS", destination_, "a host that no project describes: the built-in stack with its defaults");
  }

  ExitCode run(const Context& context) override {
    Console& console = context.console;
    const auto text = project_text(context);
    if (!text.ok()) return console.fail(text.error());
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics, *text);
    console.warn(diagnostics.warnings);
    if (!workspace) return console.fail(diagnostics.errors);

    Run run(context, *workspace, "bootstrap");
    if (const auto ready = run.prepare(); !ready.ok()) return console.fail(ready.error());
    run.plan([&](HostTask& task) { return run.plan_project(task); });
    const ExitCode code = run.finish();
    if (code == ExitCode::kDone && !context.options.dry_run) console.say("Next: sentinelctl status\n");
    return code;
  }

 private:
  // Missing: the project file is used. With a destination and no project file: the built-in stack.
  Result<std::optional<std::string>> project_text(const Context& context) const {
    if (destination_.empty()) return std::optional<std::string>();
    if (std::filesystem::exists(context.options.directory + "/" + kProjectFile)) {
      return Error("bootstrap.two-projects",
                   fmt::format("{} describes hosts already, and a destination was given too", kProjectFile),
                   "choose a host of the project with -H, or work in another directory", ExitCode::kUsage);
    }
    SENTINEL_TRY(const auto request, parse_destination(destination_));
    return std::optional(default_project_text(request.user, request.address, request.port));
  }

  std::string destination_;
};

}  // namespace

std::unique_ptr<Subcommand> make_bootstrap_command() {
  return std::make_unique<BootstrapCommand>();
}

}  // namespace sentinel
