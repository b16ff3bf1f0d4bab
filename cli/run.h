// SPDX-License-Identifier: Apache-2.0
// One run over the selected hosts: plan everywhere, show, ask, apply everywhere, report. `bootstrap`, `apply`, `plan`
// and `rollback` differ in the question they put to the hosts and in what they say; the way is the same.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/host_connection.h"
#include "cli/secret_vault.h"
#include "cli/waves.h"
#include "core/config/expand.h"
#include "core/config/release_rendering.h"
#include "core/report/host_report.h"

namespace sentinel {

/// One host on its way through a run.
struct HostTask {
  const Host* host = nullptr;
  std::unique_ptr<HostConnection> connection;
  Request request;
  Contents contents;
  HostPlan plan;
  HostRun run;
  std::string transaction;  ///< the id to begin under
  std::string release_now;  ///< where a plan about releases has no changes: the one in force
  std::vector<Door> ways;   ///< the operator's way in afterwards: where the confirmation comes from
  std::chrono::steady_clock::time_point started;
};

class Run {
 public:
  /// `purpose` stands in the host's lease and audit log: "bootstrap".
  Run(const Context& context, const Workspace& workspace, std::string purpose);
  ~Run();

  /// Agents and passwords: all that can fail before any connection.
  Result<void> prepare();

  /// What is asked of a host once it is connected: fills in the task's request and contents and gets a plan. Called in
  /// the host's thread.
  using Question = std::function<Result<Plan>(HostTask& task)>;
  /// Connects to all hosts and asks. Nothing on any host changes.
  void plan(const Question& question);
  /// The question of bootstrap, apply and plan: the project, expanded with the host's facts. `given` are values that
  /// stand in for those a host has made itself, where it uses them.
  Result<Plan> plan_project(HostTask& task, const SecretValues& given = {});
  /// The same for a part: these steps and what they need (core/config/narrowing.h). Error `plan.unknown-step`.
  Result<Plan> plan_steps(HostTask& task, const std::vector<std::string>& steps);

  /// The question of rollback: the way back to a recorded generation. Any way in confirms it that leads to the host
  /// then: in generation 0 there is no deploy user yet.
  Result<Plan> plan_generation(HostTask& task, std::uint64_t generation);

  /// What a deploy asks for beside the release itself.
  struct DeployChoices {
    bool roll_back = true;
    bool wait_for_drain = false;
  };

  /// The question of deploy: the release, rendered with the host's facts.
  Result<Plan> plan_release(HostTask& task, const ReleaseWish& wish, const DeployChoices& choices);
  /// The question of rollback: a release the host has; an empty id: the last confirmed one before the current.
  Result<Plan> plan_rollback(HostTask& task, const std::string& release);

  /// What happens between the yes and the first change; with an error of it the run ends, and nothing was changed.
  void before_changes(std::function<Errors()> step) { before_changes_ = std::move(step); }

  /// Hosts are not all begun at once, and when too many fail, those that have the release already go back to the one
  /// they had.
  void in_waves(const WaveChoices& choices) { waves_ = choices; }

  /// From the plans to the end: with --dry-run reports them; otherwise shows them, asks, applies and reports.
  ExitCode finish();

  /// Data, diagnostics and exit code of `plan` and --dry-run.
  ExitCode report_plans();

  std::vector<HostTask>& tasks() { return tasks_; }

  Access& access() { return *access_; }

  /// Who asks: "user@machine".
  Request new_request(const Host& host) const;
  SecretValues secrets_for(const Request& request, Diagnostics& diagnostics);

 private:
  Result<Plan> plan_order(HostTask& task, const SecretValues& secrets);
  std::vector<HostPlan> plans() const;
  bool has_changes() const;
  /// The plan on standard error, and the yes of a person (or --yes). False: they said no.
  Result<bool> agree();
  /// Applies every plan that has changes.
  void apply();
  /// Data, diagnostics and exit code of a run.
  ExitCode report_runs();
  static Error take_errors(HostTask& task, const Diagnostics& diagnostics);
  Result<Expansion> expand_for(HostTask& task, Diagnostics& diagnostics);
  Result<Plan> plan_expansion(HostTask& task, Expansion expansion, const SecretValues& given, Diagnostics& diagnostics);
  void plan_host(HostTask& task, const Question& question);
  void apply_host(HostTask& task);
  /// Applies to the hosts that have changes, wave after wave, until too many failed.
  void apply_in_waves(std::vector<HostTask*> tasks);
  /// The first host whose failure stops the run; nothing while it may go on.
  const HostTask* too_many_failures() const;
  /// A host that is not begun, or goes back, because of another one.
  void leave_out(HostTask& task, const HostTask& because);
  void take_back(HostTask& task, const HostTask& because);
  Result<Plan> plan_way_back(HostTask& task, const std::string& release);
  void remember(const HostTask& task, const Door& door);
  void warn(const Errors& warnings);

  const Context& context_;
  const Workspace& workspace_;
  std::string purpose_;
  std::unique_ptr<Access> access_;
  SecretVault vault_;
  std::function<Errors()> before_changes_;
  std::optional<WaveChoices> waves_;
  std::vector<HostTask> tasks_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace sentinel
