// SPDX-License-Identifier: Apache-2.0
// `plan [--out FILE] [--from-check FILE]`: what would change, and nothing else. The file holds exactly what `apply FILE` does
// later.
#include <fmt/format.h>

#include <map>

#include "cli/commands/commands.h"
#include "cli/run.h"
#include "cli/saved_plan.h"
#include "core/audit/delta.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

class PlanCommand final : public Subcommand {
 public:
  std::string name() const override { return "plan"; }
  std::string summary() const override { return "show what would change; exit 3 when something would"; }

  void declare(Declaration& d) override {
    d.option("--out", "FILE", out_, "keep the plan, for sentinelctl apply FILE");
    d.option("--from-check", "FILE", from_check_, "only what repairs the failures of this JSON report of check");
  }

  ExitCode run(const Context& context) override {
    Diagnostics diagnostics;
    auto workspace = open_workspace(context, diagnostics);
    context.console.warn(diagnostics.warnings);
    if (!workspace) return context.console.fail(diagnostics.errors);
    if (!from_check_.empty()) {
      const auto taken = take_repairs(context, *workspace);
      if (!taken.ok()) return context.console.fail(taken.error());
      if (workspace->hosts.empty()) return ExitCode::kDone;
    }
    Run run(context, *workspace, "apply");
    if (const auto ready = run.prepare(); !ready.ok()) return context.console.fail(ready.error());
    run.plan([&](HostTask& task) {
      return from_check_.empty() ? run.plan_project(task) : run.plan_steps(task, repairs_.at(task.host->name));
    });
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

  // The steps that repair each host; hosts that need none are left out of the run. What no step repairs is said.
  Result<void> take_repairs(const Context& context, Workspace& workspace) {
    auto text = read_whole_file(from_check_);
    if (!text.ok()) return std::move(text).error().exits(ExitCode::kUsage);
    SENTINEL_TRY(const EarlierReport report, read_report(*text, from_check_));
    std::string by_hand;
    for (const auto& [host, seen] : report.hosts) {
      for (const auto& [control, steps] : seen.repairs) {
        if (steps.empty()) by_hand += fmt::format("{}: no step repairs {}; the report says what to do\n", host, control);
        if (!steps.empty()) repairs_[host].insert(repairs_[host].end(), steps.begin(), steps.end());
      }
    }
    std::erase_if(workspace.hosts, [&](const Host* host) { return !repairs_.contains(host->name); });
    context.console.say(printable_text(by_hand));
    if (workspace.hosts.empty()) context.console.say(fmt::format("{} names no step for the selected hosts.\n", from_check_));
    return {};
  }

  std::string out_;
  std::string from_check_;
  std::map<std::string, std::vector<std::string>> repairs_;  ///< host -> steps
};

}  // namespace

std::unique_ptr<Subcommand> make_plan_command() { return std::make_unique<PlanCommand>(); }

}  // namespace sentinel
