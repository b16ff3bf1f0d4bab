// SPDX-License-Identifier: Apache-2.0
// Wanted files are tried before they count: all of a plan's files are written to a tree of their own, and the native
// validators (sshd -t, visudo -c, caddy validate ...) look at them as if they were in place, side by side. A validator
// that only a package of this plan brings runs once it is there, at the latest right before its file is put in place.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/engine/executor.h"
#include "core/model/plan.h"

namespace sentinel {

/// Runs a validator in the future tree (core/system/future_tree.h); a parameter, so that tests need no mount namespace.
/// Called by several threads at once.
using FutureRunner = std::function<Result<CommandResult>(const std::string& staged_root, const CommandLine& command,
                                                         const std::string& user)>;

class Staging {
 public:
  Staging(Executor::Surroundings around, FutureRunner future);

  /// Writes every file of the plan to the tree and runs the validators that are present. Nothing is written when no
  /// file of the plan has a validator. Error `validate.failed` with what the validator said.
  Result<void> check(const std::vector<Resource>& resources, const Plan& plan);
  /// Right before a step acts: runs the validators of its file that could not run in check().
  Result<void> check_before_acting(const Resource& resource, const Step& step);

 private:
  static bool writes_files(const Step& step);
  /// All of the plan's files, and those of `now`, a step planned again; nothing else is in the tree then.
  Result<void> write_tree(const Step* now = nullptr);
  Result<void> write_one(const WriteFile& write);
  /// Of those that are unchecked: whose validator is there.
  Result<std::vector<const Resource*>> runnable();
  /// All at once; the verdict of each by its id.
  std::map<std::string, Result<void>> validate(const std::vector<const Resource*>& ready);
  Result<void> validate_one(const Resource& resource) const;

  Executor::Surroundings around_;
  FutureRunner future_;
  const Plan* plan_ = nullptr;                 ///< given to check(); must outlive this
  std::map<std::string, Resource> unchecked_;  ///< by id
  std::set<std::string> checked_;
};

/// Removes the tree, also one that a killed transaction left; fine when there is none. The lease must be held.
Result<void> remove_staged(HostState& host);

}  // namespace sentinel
