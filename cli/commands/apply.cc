// SPDX-License-Identifier: Apache-2.0
// `apply [PLAN]`: makes hosts what the project says; with a saved plan exactly that plan, or a refusal where the host is no
// longer as the plan saw it.
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/commands.h"
#include "cli/run.h"
#include "cli/saved_plan.h"

namespace sentinel {
namespace {

Error stale(const std::string& host) {
  return Error("plan.stale", fmt::format("{} is no longer as the plan saw it", host), "make a new plan: sentinelctl plan --out FILE",
               ExitCode::kStalePlan);
}

// The host was changed by this very plan, or by something else since: people want to know which.
Error refusal(HostTask& task, const std::string& transaction) {
  const auto history = task.connection->agent().ask({"history", ""});
  if (history.ok() && history->is_array()) {
    for (const auto& entry : *history) {
      if (entry.is_object() && entry.value("transaction", "") == transaction) {
        return Error("plan.applied", fmt::format("this plan was applied already on {}", task.host->name),
                     "a plan can be applied once; make a new one: sentinelctl plan --out FILE", ExitCode::kStalePlan);
      }
    }
  }
  return stale(task.host->name);
}

// Asks the host for the plan again and refuses when it saw something else.
Result<Plan> plan_saved(Run& run, const SavedPlan& saved, HostTask& task) {
  const SavedHostPlan& host = *saved.find(task.host->name);
  task.transaction = host.transaction;
  const Request now = run.new_request(*task.host);
  task.request = host.request;
  task.request.operator_name = now.operator_name;
  task.request.confirm_timeout_seconds = now.confirm_timeout_seconds;
  task.request.lease_wait_seconds = now.lease_wait_seconds;
  task.contents = host.contents;
  Diagnostics diagnostics;
  const SecretValues secrets = run.secrets_for(task.request, diagnostics);
  if (!diagnostics.ok()) {
    task.plan.errors.assign(diagnostics.errors.begin() + 1, diagnostics.errors.end());
    return diagnostics.errors.front();
  }
  SENTINEL_TRY(auto plan, task.connection->agent().plan(task.request, secrets, task.contents));
  if (plan.observed != host.plan.observed) return refusal(task, host.transaction);
  return plan;
}

class ApplyCommand final : public Subcommand {
 public:
  std::string name() const override { return "apply"; }
  std::string summary() const override { return "make the hosts what the project says, or apply a saved plan"; }

  void declare(Declaration& d) override { d.argument("PLAN", file_, "a file of sentinelctl plan --out"); }

  ExitCode run(const Context& context) override {
    Diagnostics diagnostics;
    auto workspace = open_workspace(context, diagnostics);
    context.console.warn(diagnostics.warnings);
    if (!workspace) return context.console.fail(diagnostics.errors);
    SavedPlan saved;
    if (!file_.empty()) {
      auto read = read_saved_plan(file_);
      if (!read.ok()) return context.console.fail(read.error());
      saved = std::move(*read);
      if (auto taken = take_hosts(context, *workspace, saved); !taken.ok()) return context.console.fail(taken.error());
    }
    Run run(context, *workspace, "apply");
    if (const auto ready = run.prepare(); !ready.ok()) return context.console.fail(ready.error());
    run.plan([&](HostTask& task) { return file_.empty() ? run.plan_project(task) : plan_saved(run, saved, task); });
    return run.finish();
  }

 private:
  // Only hosts that the plan is for, and that -H selects.
  static Result<void> take_hosts(const Context& context, Workspace& workspace, const SavedPlan& saved) {
    for (const SavedHostPlan& host : saved.hosts) {
      if (workspace.project.find_host(host.request.host) == nullptr) {
        return Error("plan.unknown-host", fmt::format("the plan is for host '{}', which the project doesn't have", host.request.host),
                     "apply it in the project it was made in", ExitCode::kUsage);
      }
    }
    const auto not_in_plan = [&](const Host* host) { return saved.find(host->name) == nullptr; };
    workspace.hosts.erase(std::remove_if(workspace.hosts.begin(), workspace.hosts.end(), not_in_plan), workspace.hosts.end());
    if (workspace.hosts.empty()) return Error("plan.no-hosts", "the plan holds none of the selected hosts", "", ExitCode::kUsage);
    if (digest_of_project(workspace.project.directory) != saved.project_digest) {
      context.console.say("The project has changed since the plan was made; what was planned then is applied.\n");
    }
    return {};
  }

  std::string file_;
};

}  // namespace

std::unique_ptr<Subcommand> make_apply_command() { return std::make_unique<ApplyCommand>(); }

}  // namespace sentinel
