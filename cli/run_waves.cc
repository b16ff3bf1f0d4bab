// SPDX-License-Identifier: Apache-2.0
// Run's way through a fleet: a host that fails stops the ones behind it and takes back the ones before it.
#include <fmt/format.h>

#include <algorithm>

#include "cli/fleet.h"
#include "cli/run.h"
#include "cli/transaction_watch.h"
#include "cli/vigil.h"
#include "core/model/transaction_id.h"
#include "core/report/exit_status.h"
#include "core/report/run_text.h"

namespace sentinel {
namespace {

// What a host's plan says of the release that is in force; empty: there is none.
std::string release_before(const HostPlan& plan) {
  for (const Step& step : plan.plan->steps) {
    if (step.kind != "release") continue;
    for (const Change& change : step.changes) {
      if (change.attribute == "release") return change.before;
    }
  }
  return {};
}

// All hosts of a run that stopped have the exit code of the one that stopped it.
ExitCode exit_because_of(const HostTask& failed) {
  const ExitCode code = exit_code_of(failed.run);
  return code == ExitCode::kStuck ? ExitCode::kRolledBack : code;
}

}  // namespace

const HostTask* Run::too_many_failures() const {
  unsigned failures = 0;
  for (const HostTask& task : tasks_) {
    const bool counts = waves_->max_failures || task.run.outcome != Outcome::kUnreachable;
    if (task.run.succeeded() || !counts) continue;
    if (++failures > waves_->max_failures.value_or(0)) return &task;
  }
  return nullptr;
}

void Run::apply_in_waves(std::vector<HostTask*> tasks) {
  const HostTask* stopped_by = too_many_failures();
  std::size_t begun = 0;
  for (const Wave& wave : waves_of(tasks.size(), *waves_)) {
    if (stopped_by != nullptr) break;
    std::vector<HostTask*> waiting(tasks.begin(), tasks.begin() + static_cast<std::ptrdiff_t>(wave.begin));
    waiting.insert(waiting.end(), tasks.begin() + static_cast<std::ptrdiff_t>(wave.end), tasks.end());
    const Vigil vigil(std::move(waiting));
    for_each_host(wave.end - wave.begin, context_.options.parallel,
                  [&](std::size_t i) { apply_host(*tasks[wave.begin + i]); });
    begun = wave.end;
    stopped_by = too_many_failures();
  }
  if (stopped_by == nullptr) return;
  for (std::size_t i = begun; i < tasks.size(); ++i) leave_out(*tasks[i], *stopped_by);
  if (!waves_->roll_back) return;
  for_each_host(begun, context_.options.parallel, [&](std::size_t i) {
    if (tasks[i]->run.outcome == Outcome::kChanged) take_back(*tasks[i], *stopped_by);
  });
}

void Run::leave_out(HostTask& task, const HostTask& because) {
  task.run.outcome = Outcome::kFailed;
  task.run.errors.push_back(Error("fleet.stopped",
                                  fmt::format("not begun, since {} failed; nothing was changed", because.host->name),
                                  "--max-failures says how many hosts may fail", exit_because_of(because)));
}

Result<Plan> Run::plan_way_back(HostTask& task, const std::string& release) {
  auto plan = plan_rollback(task, release);
  if (plan.ok()) return plan;
  // The connection may have ended meanwhile.
  SENTINEL_TRY(task.connection, HostConnection::open(*access_, *task.host, doors_of(*access_, *task.host)));
  return plan_rollback(task, release);
}

void Run::take_back(HostTask& task, const HostTask& because) {
  HostRun& run = task.run;
  const std::string former = release_before(task.plan);
  const std::string& name = task.host->name;
  if (former.empty()) {
    warn({Error("fleet.first-release", fmt::format("{} keeps release {}: it is the first one there", name, run.release),
                "it was proved healthy; there is nothing to go back to")});
    return;
  }
  progress_->stage(name, "going back", 0);
  auto plan = plan_way_back(task, former);
  HostRun back;
  if (plan.ok()) {
    TransactionWatch watch(*access_, *task.host, task.ways, new_transaction_id());
    back = watch.begin(task.connection, plan->observed);
  } else {
    back.errors.push_back(std::move(plan).error());
    back.outcome = Outcome::kFailed;
  }
  run.log = std::move(back.log);
  if (back.outcome == Outcome::kChanged) {
    run.errors = {Error("fleet.taken-back",
                        fmt::format("went back to release {}, since {} failed", former, because.host->name), "",
                        exit_because_of(because))};
    run.outcome = Outcome::kReverted;
    run.release = back.release;
    run.transaction = back.transaction;
    run.changed.clear();
  } else {
    run.outcome = Outcome::kStuck;
    run.errors = {
        Error("fleet.not-taken-back",
              fmt::format("{} failed, and release {} could not be taken back here", because.host->name, run.release),
              "go back by hand: sentinelctl rollback -H " + name, ExitCode::kStuck)};
    run.errors.insert(run.errors.end(), back.errors.begin(), back.errors.end());
  }
  progress_->finished(name, outcome_text(run), run.outcome == Outcome::kReverted);
}

}  // namespace sentinel
