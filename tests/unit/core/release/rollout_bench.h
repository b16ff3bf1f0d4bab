// SPDX-License-Identifier: Apache-2.0
// What the tests of rollouts share: a machine in memory, a runtime that is a few flags, a judge that says what it is
// told to, and deploys and rollbacks to run on them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/engine/recover.h"
#include "core/release/rollout.h"
#include "tests/support/fake_system.h"
#include "tests/unit/core/engine/support.h"

namespace sentinel {

inline constexpr const char* kFirst = "11111111111111111111111111111111";
inline constexpr const char* kSecond = "22222222222222222222222222222222";

/// Which release runs, which has the traffic, which a boot starts.
struct FakeRuntime final : Runtime {
  std::set<std::string> running;
  std::string traffic;
  std::string boots;
  std::string fails;  ///< name of the function that fails once
  bool dead = false;  ///< the candidate ended, some time after it was watched

  Result<void> strike(const std::string& name) {
    if (fails != name) return {};
    fails.clear();
    return Error("test.struck", name + " failed");
  }

  Result<void> check(const Release&) override { return strike("check"); }

  Result<void> prepare(const Release&) override { return strike("prepare"); }

  Result<void> start_candidate(const Release& next) override {
    running.insert(next.id);
    return strike("start");
  }

  Result<Activity> activity(const Release& release) override {
    return Activity{running.count(release.id) > 0, dead ? "killed" : "", 0, "1"};
  }

  ReleaseEndpoint endpoint(const Release&) const override { return {"/run/x"}; }

  Result<void> switch_to(const Release& next, const std::optional<Release>&) override {
    traffic = next.id;
    return strike("switch");
  }

  Result<void> back(const Release& next, const std::optional<Release>& former) override {
    traffic = former ? former->id : "";
    running.erase(next.id);
    return strike("back");
  }

  Result<void> promote(const Release& next, const std::optional<Release>&) override {
    boots = next.id;
    return strike("promote");
  }

  Result<void> drain(const Release& release, bool) override {
    running.erase(release.id);
    return strike("drain");
  }

  Result<std::map<std::string, Remains>> remains(const std::vector<Release>& releases) override {
    std::map<std::string, Remains> out;
    for (const auto& release : releases) {
      if (running.count(release.id) > 0) out[release.id] = Remains::kRuns;
    }
    return out;
  }

  Result<bool> must_end_first(const Release& next) override { return running.count(next.id) > 0; }

  Result<void> forget(const Release&) override { return strike("forget"); }

  Result<void> discard(const Release&) override { return {}; }

  std::vector<std::string> log(const Release&, std::size_t) override { return {"it said s3cret-value"}; }
};

struct FakeJudge final : ReleaseJudge {
  bool ready = true;
  bool well = true;

  Result<void> await_ready(const Release&, const std::optional<Release>&, Runtime&,
                           const std::function<bool()>&) override {
    if (ready) return {};
    return Error("release.unhealthy", "not ready", "", ExitCode::kRolledBack);
  }

  Result<std::string> watch(const Release&, Runtime&, const std::function<bool()>&) override {
    if (well) return std::string();
    return Error("release.unhealthy", "not well", "", ExitCode::kRolledBack);
  }
};

struct RolloutBench {
  FakeSystem machine;
  FakeRuntime runtime;
  FakeJudge judge;
  ManualClock clock;
  RecordingSink events;
  ScriptedControl control;

  RolloutBench();

  /// A deploy of this release, whose environment has a secret in it.
  TransactionInput input(const std::string& id, const std::string& transaction);
  /// The transaction, on this machine or on one that has its faults.
  TransactionOutcome run(System& system, const TransactionInput& ordered);
  /// What a person is shown before.
  Plan plan(const TransactionInput& ordered);
  /// What a host does after the death of a transaction's process.
  Result<std::vector<Recovery>> recover();
  AppReleases app();
  /// Release 1.0 is in force.
  void first();
};

/// A rollback to this release.
TransactionInput back_to(const std::string& id, const std::string& transaction);

}  // namespace sentinel
