// SPDX-License-Identifier: Apache-2.0
// The middle of a transaction: step after step, each looked at again, its undo journalled, then acted; then the
// effects. Stops at the first error; whoever called it reverts from intents().
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/engine/effects.h"
#include "core/engine/executor.h"
#include "core/engine/journal.h"
#include "core/engine/operator_access.h"
#include "core/engine/staging.h"
#include "core/engine/transaction.h"

namespace sentinel {

class Acting {
 public:
  struct Surroundings {
    Executor::Surroundings executor;
    Survey& survey;
    OperatorAccess& access;
    journal::Writer& writer;
    Staging& staging;
    Control& control;
    const journal::Begin& begin;
    const Plan& announced;  ///< what was shown, or would have been
  };

  explicit Acting(Surroundings around);

  /// Secrets, then all resources in order. After the first change every resource is looked at again, since a step may
  /// cause work for a later one; work that can't be undone must have been announced (`engine.unannounced`).
  Result<void> run_steps();
  /// Everything still owed, once.
  Result<void> pay_effects();
  /// For what proving found: pays steps that need nothing but effects (a file that a service reads came after the
  /// service). False when any of them needs more: then the transaction did not converge.
  Result<bool> settle(const Plan& rest);

  const std::vector<journal::Intent>& intents() const { return intents_; }

  /// Ids of the plan's steps that are so by now, and of those taken besides, in order.
  const std::vector<std::string>& changed() const { return changed_; }

  bool guard_armed() const { return guard_armed_; }

 private:
  Result<void> check_going_on();
  Result<void> visit_secret(const SecretSpec& spec);
  Result<void> visit_resource(const Resource& resource);
  Result<void> act(Step step, const nlohmann::json& state);
  Result<void> check_announced(const Step& step) const;
  void merge_packages(Step& step) const;
  Result<void> arm_guard();
  Result<void> pay_one(const Effect& effect);

  bool is_announced(const std::string& id) const { return announced_ids_.count(id) > 0; }

  Surroundings around_;
  Executor executor_;
  EffectLedger ledger_;
  std::set<Effect> required_;  ///< effects whose unit must be there
  std::set<std::string> announced_ids_;
  std::vector<journal::Intent> intents_;
  std::vector<std::string> changed_;
  bool guard_armed_ = false;
  bool forget_ = false;  ///< something was changed since the survey last looked
};

}  // namespace sentinel
