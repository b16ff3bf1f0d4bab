// SPDX-License-Identifier: Apache-2.0
// `rollback`: the application back to a release the hosts have; `--generation N`: an ordinary transaction whose wanted
// state is what a recorded generation holds.
#include <fmt/format.h>

#include <optional>

#include "cli/commands/commands.h"
#include "cli/release_hooks.h"

namespace sentinel {
namespace {

class RollbackCommand final : public Subcommand {
 public:
  std::string name() const override { return "rollback"; }

  std::string summary() const override { return "go back to a release, or bring hosts back to a recorded generation"; }

  void declare(Declaration& d) override {
    d.argument("RELEASE", release_,
               "as listed by sentinelctl releases; without it the last confirmed one before the current");
    d.option("--generation", "N", generation_,
             "as listed by sentinelctl history; 0 is the host before the first change");
  }

  ExitCode run(const Context& context) override {
    Console& console = context.console;
    if (generation_ && !release_.empty()) {
      return console.fail(Error("rollback.two-targets", "a release and a generation can't be gone back to in one run",
                                "run it twice", ExitCode::kUsage));
    }
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    console.warn(diagnostics.warnings);
    if (!workspace) return console.fail(diagnostics.errors);
    const std::string purpose = generation_        ? fmt::format("rollback to generation {}", *generation_)
                                : release_.empty() ? std::string("rollback")
                                                   : "rollback to release " + release_;
    Run run(context, *workspace, purpose);
    if (const auto ready = run.prepare(); !ready.ok()) return console.fail(ready.error());
    if (!generation_) return roll_back(context, *workspace, run);
    run.plan([&](HostTask& task) { return run.plan_generation(task, *generation_); });
    return run.finish();
  }

 private:
  ExitCode roll_back(const Context& context, const Workspace& workspace, Run& run) const {
    const Interruption::Watch given_up(context.interruption, 1);
    const Errors unconnected =
        run_hooks(workspace.project, HookMoment::kPreConnect, facts_of_all(workspace, release_), given_up.fd());
    if (!unconnected.empty()) return context.console.fail(unconnected);
    run.plan([&](HostTask& task) { return run.plan_rollback(task, release_); });
    const ExitCode ended = run.finish();
    context.console.warn(tell_of_rollback(workspace.project, run.tasks()));
    return ended;
  }

  std::string release_;
  std::optional<std::uint64_t> generation_;
};

}  // namespace

std::unique_ptr<Subcommand> make_rollback_command() {
  return std::make_unique<RollbackCommand>();
}

}  // namespace sentinel
