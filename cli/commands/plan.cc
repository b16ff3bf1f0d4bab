// SPDX-License-Identifier: Apache-2.0
// `plan [--out FILE]`: what would change, and nothing else. The file holds exactly what `apply FILE` does later.
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/run.h"
#include "cli/saved_plan.h"
#include "core/base/clock.h"

namespace sentinel {
namespace {

class PlanCommand final : public Subcommand {
 public:
  std::string name() const override { return "plan"; }
  std::string summary() const override { return "show what would change; exit 3 when something would"; }

  void declare(Declaration& d) override { d.option("--out", "FILE", out_, "keep the plan, for sentinelctl apply FILE"); }

  ExitCode run(const Context& context) override {
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    context.console.warn(diagnostics.warnings);
    if (!workspace) return context.console.fail(diagnostics.errors);
    Run run(context, *workspace, "apply");
    if (const auto ready = run.prepare(); !ready.ok()) return context.console.fail(ready.error());
    run.plan([&](HostTask& task) { return run.plan_project(task); });
    if (!out_.empty()) {
      if (const auto kept = keep(run, workspace->project); !kept.ok()) return context.console.fail(kept.error());
      context.console.say(fmt::format("The plan is in {}. Next: sentinelctl apply {}\n", out_, out_));
    }
    return run.report_plans();
  }

 private:
  Result<void> keep(Run& run, const Project& project) const {
    SavedPlan saved{to_rfc3339(SystemClock().now()), project.name, digest_of_project(project.directory), {}};
    for (const HostTask& task : run.tasks()) {
      if (task.plan.failed()) continue;
      saved.hosts.push_back({task.transaction, task.request, task.contents, *task.plan.plan});
    }
    return write_saved_plan(out_, saved);
  }

  std::string out_;
};

}  // namespace

std::unique_ptr<Subcommand> make_plan_command() { return std::make_unique<PlanCommand>(); }

}  // namespace sentinel
