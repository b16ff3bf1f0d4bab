// SPDX-License-Identifier: Apache-2.0
// Migrations: what a release needs done once on a host before it is started. Pure: which are to be run or undone, and
// the commands for it. The release in force serves beside a migrated state until the switch, so a migration must suit
// both releases; undoing waits until the newer release has lost the traffic for the same reason.
#pragma once

#include <string>
#include <vector>

#include "core/model/plan.h"
#include "core/model/release.h"

namespace sentinel {

struct MigrationWork {
  std::vector<ReleaseMigration> run;  ///< before the release is started, in order
  std::vector<DoneMigration> undo;    ///< after the switch, in order
  std::vector<DoneMigration> stay;    ///< that a way back can't undo
};

/// For an order whose release is complete. `app` is what the host remembers.
MigrationWork migration_work(const AppReleases& app, const ReleaseOrder& order);

/// What a person is shown of each.
std::vector<Step> steps_to_run(const MigrationWork& work);
std::vector<Step> steps_to_undo(const MigrationWork& work);

/// Runs `argv` in the directory and the environment of `release`, as root, in a unit of its own of which there is one
/// at a time: one that a dead transaction left behind is ended first.
std::vector<Action> migration_actions(const Release& release, const std::string& migration,
                                      const std::vector<std::string>& argv);

/// What was done when a transaction was taken back: what stood before it, and what it ran that can't be undone.
std::vector<DoneMigration> migrations_after_revert(const std::vector<DoneMigration>& before,
                                                   const std::vector<DoneMigration>& now,
                                                   const std::string& transaction);

/// The step id of a migration: "migration/2026-01".
std::string migration_step(const std::string& id);

}  // namespace sentinel
