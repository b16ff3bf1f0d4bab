// SPDX-License-Identifier: Apache-2.0
#include "cli/release_hooks.h"

#include <iterator>

namespace sentinel {
namespace {

HookFacts facts_of(const std::vector<HostTask>& tasks, Outcome outcome) {
  HookFacts facts;
  facts.outcome = to_string(outcome);
  for (const HostTask& task : tasks) {
    if (task.run.outcome != outcome) continue;
    facts.hosts.push_back(task.host->name);
    facts.release = task.run.release;
  }
  return facts;
}

Errors tell(const Project& project, HookMoment moment, const HookFacts& facts) {
  return facts.hosts.empty() ? Errors() : run_hooks(project, moment, facts, -1);
}

}  // namespace

HookFacts facts_of_all(const Workspace& workspace, const std::string& release) {
  HookFacts facts{release, {}, {}};
  for (const Host* host : workspace.hosts) facts.hosts.push_back(host->name);
  return facts;
}

Errors tell_of_deploy(const Project& project, const std::vector<HostTask>& tasks, const std::string& release) {
  Errors errors;
  for (const auto& [moment, outcome] : {std::pair(HookMoment::kPostDeploy, Outcome::kChanged),
                                        std::pair(HookMoment::kOnRollback, Outcome::kReverted)}) {
    HookFacts facts = facts_of(tasks, outcome);
    facts.release = release;
    Errors failed = tell(project, moment, facts);
    std::move(failed.begin(), failed.end(), std::back_inserter(errors));
  }
  return errors;
}

Errors tell_of_rollback(const Project& project, const std::vector<HostTask>& tasks) {
  return tell(project, HookMoment::kOnRollback, facts_of(tasks, Outcome::kChanged));
}

}  // namespace sentinel
