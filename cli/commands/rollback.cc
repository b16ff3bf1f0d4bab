// SPDX-License-Identifier: Apache-2.0
// `rollback --generation N`: an ordinary transaction whose wanted state is what a recorded generation holds.
#include <fmt/format.h>

#include <optional>

#include "cli/commands/commands.h"
#include "cli/run.h"

namespace sentinel {
namespace {

class RollbackCommand final : public Subcommand {
 public:
  std::string name() const override { return "rollback"; }

  std::string summary() const override { return "bring hosts back to a recorded generation"; }

  void declare(Declaration& d) override {
    d.option("--generation", "N", generation_,
             "as listed by sentinelctl history; 0 is the host before the first change");
  }

  ExitCode run(const Context& context) override {
    Console& console = context.console;
    if (!generation_) {
      return console.fail(Error("rollback.no-generation", "which generation?",
                                "sentinelctl history lists them; pass --generation N", ExitCode::kUsage));
    }
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    console.warn(diagnostics.warnings);
    if (!workspace) return console.fail(diagnostics.errors);
    Run run(context, *workspace, fmt::format("rollback to generation {}", *generation_));
    if (const auto ready = run.prepare(); !ready.ok()) return console.fail(ready.error());
    run.plan([&](HostTask& task) { return run.plan_generation(task, *generation_); });
    return run.finish();
  }

 private:
  std::optional<std::uint64_t> generation_;
};

}  // namespace

std::unique_ptr<Subcommand> make_rollback_command() {
  return std::make_unique<RollbackCommand>();
}

}  // namespace sentinel
