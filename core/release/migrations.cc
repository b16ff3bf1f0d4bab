// SPDX-License-Identifier: Apache-2.0
#include "core/release/migrations.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sentinel {
namespace {

constexpr const char* kUnit = "sentinel-migration.service";
constexpr std::uint32_t kLimitSeconds = 3600;
constexpr std::uint32_t kStopSeconds = 120;

// The service manager replaces variables in the words of a command.
std::string literal(std::string word) {
  for (auto at = word.find('$'); at != std::string::npos; at = word.find('$', at + 2)) word.insert(at, 1, '$');
  return word;
}

bool is_done(const AppReleases& app, const std::string& id) {
  return std::any_of(app.migrations.begin(), app.migrations.end(),
                     [&](const DoneMigration& done) { return done.migration.id == id; });
}

Step step_of(const std::string& id, const std::string& title, Change change) {
  Step step;
  step.id = migration_step(id);
  step.kind = "migration";
  step.risk = Risk::kService;
  step.title = title;
  step.changes.push_back(std::move(change));
  return step;
}

}  // namespace

std::string migration_step(const std::string& id) {
  return "migration/" + id;
}

MigrationWork migration_work(const AppReleases& app, const ReleaseOrder& order) {
  MigrationWork work;
  const auto& release = order.release;
  for (const auto& migration : release.migrations) {
    if (!is_done(app, migration.id)) work.run.push_back(migration);
  }
  if (order.action != ReleaseOrder::Action::kRollback) return work;
  for (auto done = app.migrations.rbegin(); done != app.migrations.rend(); ++done) {
    // RFC 3339 of one form sorts by time.
    if (done->release == release.id || done->time < release.created) continue;
    const bool needed = std::any_of(release.migrations.begin(), release.migrations.end(),
                                    [&](const ReleaseMigration& one) { return one.id == done->migration.id; });
    if (needed) continue;
    (done->migration.undo.empty() ? work.stay : work.undo).push_back(*done);
  }
  return work;
}

std::vector<Step> steps_to_run(const MigrationWork& work) {
  std::vector<Step> out;
  for (const auto& migration : work.run) {
    auto step = step_of(migration.id, fmt::format("run migration {}", migration.id),
                        {"command", "", fmt::format("{}", fmt::join(migration.run, " ")), false});
    step.changes.push_back({"undo", "", fmt::format("{}", fmt::join(migration.undo, " ")), false});
    if (migration.undo.empty()) {
      step.changes.back().after = "none: " + migration.irreversible;
      step.risk = Risk::kIrreversible;
      step.undo = Irreversible{migration.irreversible};
    }
    out.push_back(std::move(step));
  }
  return out;
}

std::vector<Step> steps_to_undo(const MigrationWork& work) {
  std::vector<Step> out;
  for (const auto& done : work.undo) {
    out.push_back(step_of(done.migration.id, fmt::format("undo migration {}", done.migration.id),
                          {"command", "", fmt::format("{}", fmt::join(done.migration.undo, " ")), false}));
  }
  return out;
}

std::vector<Action> migration_actions(const Release& release, const std::string& migration,
                                      const std::vector<std::string>& argv) {
  const ReleasePaths paths{release.app, release.id};
  std::vector<std::string> command{"systemd-run",
                                   "--quiet",
                                   "--wait",
                                   "--pipe",
                                   "--collect",
                                   fmt::format("--unit={}", kUnit),
                                   "--property=WorkingDirectory=" + paths.directory(),
                                   fmt::format("--property=RuntimeMaxSec={}", kLimitSeconds),
                                   "--setenv=SENTINEL_RELEASE=" + release.id,
                                   "--setenv=SENTINEL_MIGRATION=" + migration};
  for (const auto& file : release.files) {
    if (file.path == kReleaseEnvironment) command.push_back("--property=EnvironmentFile=" + paths.installed(file));
  }
  command.push_back("--");
  const bool relative = argv.front().find('/') != std::string::npos && argv.front().front() != '/';
  for (const auto& word : argv) {
    command.push_back((relative && &word == &argv.front() ? paths.directory() + "/" : "") + literal(word));
  }
  return {RunCommand{{"systemctl", "stop", kUnit}, kStopSeconds, true},
          RunCommand{std::move(command), kLimitSeconds + kStopSeconds, false}};
}

std::vector<DoneMigration> migrations_after_revert(const std::vector<DoneMigration>& before,
                                                   const std::vector<DoneMigration>& now,
                                                   const std::string& transaction) {
  auto out = before;
  std::copy_if(now.begin(), now.end(), std::back_inserter(out), [&](const DoneMigration& done) {
    return done.transaction == transaction && done.migration.undo.empty();
  });
  return out;
}

}  // namespace sentinel
