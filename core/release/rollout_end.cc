// SPDX-License-Identifier: Apache-2.0
#include "core/release/rollout_end.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/engine/commit.h"
#include "core/engine/executor.h"
#include "core/engine/revert.h"
#include "core/engine/room.h"
#include "core/model/json.h"
#include "core/release/masked_log.h"
#include "core/release/migrations.h"
#include "core/release/watch_file.h"

namespace sentinel {
namespace {

constexpr std::size_t kLogLines = 50;

void warn(EventSink& events, const Error& error) {
  Event event;
  event.type = Event::Type::kWarning;
  event.text = error.message;
  events.tell(std::move(event));
}

void put_record(AppReleases& app, const Release& release, ReleaseState state, const std::string& time,
                const std::string& transaction) {
  auto* record = app.find(release.id);
  if (record == nullptr) {
    app.releases.emplace_back();
    record = &app.releases.back();
  }
  *record = {release, state, time, transaction, "", {}};
}

// As the plan saw them.
std::vector<DoneMigration> migrations_before(const RolloutFacts& facts) {
  const auto state = facts.begin.states.find("release/" + facts.next.app);
  if (state == facts.begin.states.end()) return {};
  auto app = decode<AppReleases>(state->second);
  return app.ok() ? std::move(app->migrations) : std::vector<DoneMigration>();
}

Result<void> keep_retention(const RolloutSurroundings& around, AppReleases& app, const RolloutFacts& facts) {
  ReleaseStore store(around.host);
  std::set<std::string> busy;
  std::vector<Release> others;
  if (facts.former) busy.insert(facts.former->id);  // it has just been told to end: a later run forgets it
  for (const auto& record : app.releases) {
    const auto& id = record.release.id;
    if (id != app.current && busy.count(id) == 0) others.push_back(record.release);
  }
  SENTINEL_TRY(const auto remains, around.runtime.remains(others));
  for (const auto& release : others) {
    const auto found = remains.find(release.id);
    if (found == remains.end()) continue;
    if (found->second == Remains::kRuns) busy.insert(release.id);
    if (found->second == Remains::kLeftovers) SENTINEL_CHECK(around.runtime.forget(release));
  }
  const auto surplus = releases_to_remove(app, facts.next.policy.keep, busy);
  for (const auto& id : surplus) {
    std::erase_if(app.releases, [&](const ReleaseRecord& record) { return record.release.id == id; });
  }
  // First the registry: a directory that nothing names is a leftover, a name without directory would be a lie.
  if (!surplus.empty()) SENTINEL_CHECK(ReleaseRegistry(around.host.machine, around.host.directory).write(app));
  SENTINEL_TRY(const auto directories, store.directories(app.app));
  for (const auto& id : directories) {
    if (app.find(id) != nullptr || !is_release_id(id)) continue;
    // Its directory last: what is left of one that was interrupted is found by it.
    Release gone;
    gone.app = app.app;
    gone.id = id;
    SENTINEL_CHECK(around.runtime.discard(gone));
    SENTINEL_CHECK(store.remove({app.app, id}));
  }
  return store.keep_image_parts(app);
}

}  // namespace

Result<RolloutFacts> facts_of(const journal::Summary& summary, HostState& host) {
  RolloutFacts facts;
  facts.begin = summary.begin;
  facts.next = summary.begin.request.release->release;
  facts.intents = summary.intents;
  SENTINEL_TRY(const auto app, ReleaseRegistry(host.machine, host.directory).read(facts.next.app));
  // The tree's digest was not known when the transaction began.
  if (const auto* record = app.find(facts.next.id); record != nullptr) facts.next = record->release;
  for (const auto& phase : summary.rollout) {
    facts.touched = facts.touched || phase.phase != "stage";
    facts.promoted = facts.promoted || phase.phase == "promote";
    if (phase.former.empty() || facts.former) continue;
    const auto* former = app.find(phase.former);
    if (former == nullptr) {
      return Error("release.registry", fmt::format("the registry no longer knows release {}", phase.former), "",
                   ExitCode::kStuck);
    }
    facts.former = former->release;
  }
  return facts;
}

Result<void> finish_rollout(const RolloutSurroundings& around, journal::Writer& writer, const RolloutFacts& facts,
                            const journal::Commit& commit) {
  auto& host = around.host;
  ReleaseRegistry registry(host.machine, host.directory);
  const auto& next = facts.next;
  SENTINEL_TRY(auto app, registry.read(next.app));
  app.runtime = next.runtime;
  if (app.current != next.id) {
    app.previous = app.current;
    app.current = next.id;
  }
  const bool proved = commit.generation.value("proved", true);
  put_record(app, next, proved ? ReleaseState::kConfirmed : ReleaseState::kServing, commit.time,
             facts.begin.transaction);
  SENTINEL_CHECK(registry.write(app));
  SENTINEL_CHECK(host.machine.make_link(ReleasePaths::current(next.app), "releases/" + next.id));
  SENTINEL_CHECK(install_watch(host.machine, next));
  SENTINEL_CHECK(host.audit.append({commit.time, facts.begin.transaction, facts.begin.request.operator_name,
                                    facts.begin.request.purpose, facts.begin.request.project, "changed",
                                    facts.begin.base_generation, commit.changed, ""}));
  SENTINEL_CHECK(writer.append(journal::Closed{"changed"}));
  if (facts.former) {
    const bool wait = facts.begin.request.release->wait_for_drain;
    if (auto drained = around.runtime.drain(*facts.former, wait); !drained.ok()) warn(around.events, drained.error());
  }
  if (auto kept = keep_retention(around, app, facts); !kept.ok()) warn(around.events, kept.error());
  if (auto pruned = prune(host, around.clock); !pruned.ok()) warn(around.events, pruned.error());
  return {};
}

RolledBack take_back(const RolloutSurroundings& around, journal::Writer& writer, const RolloutFacts& facts,
                     const Error& why) {
  RolledBack out;
  auto& host = around.host;
  const auto failed = [&](Result<void> done, const std::string& what) {
    if (done.ok()) return;
    out.left.push_back(what);
    out.errors.push_back(std::move(done).error());
  };
  (void)writer.append(journal::RevertBegin{why.message, static_cast<int>(why.exit)});
  if (facts.touched) {
    out.log = masked(around.runtime.log(facts.next, kLogLines), host);
    // What a boot starts first: whatever happens then, it happens to the former release.
    if (facts.promoted && facts.former) {
      failed(around.runtime.promote(*facts.former, facts.next), "what a boot starts");
    }
    failed(around.runtime.back(facts.next, facts.former), "which release has the traffic");
  }
  SecretView secrets(host.secrets, facts.begin.request.secrets, {});
  Executor executor({host, around.clock, around.events, secrets});
  for (auto intent = facts.intents.rbegin(); intent != facts.intents.rend(); ++intent) {
    for (const auto& action : intent->undo) failed(executor.run(action), intent->id);
  }
  const auto time = to_rfc3339(around.clock.now());
  ReleaseRegistry registry(host.machine, host.directory);
  auto app = registry.read(facts.next.app);
  if (app.ok()) {
    app->migrations = migrations_after_revert(migrations_before(facts), app->migrations, facts.begin.transaction);
    if (auto* record = app->find(facts.next.id); record != nullptr) {
      record->state = ReleaseState::kFailed;
      record->changed = time;
      record->transaction = facts.begin.transaction;
      record->reason = why.message;
      record->log = out.log;
    } else {
      failed(ReleaseStore(host).remove({facts.next.app, facts.next.id}), "the release's directory");
    }
    if (!app->releases.empty()) failed(registry.write(*app), "the registry of releases");
  } else {
    failed(std::move(app).error(), "the registry of releases");
  }
  out.for_lack_of_room = !out.left.empty() && !has_room(host);
  if (out.for_lack_of_room) return out;
  (void)writer.append(journal::RevertEnd{out.left});
  const std::string outcome = out.left.empty() ? "reverted" : "stuck";
  auto written = host.audit.append({time,
                                    facts.begin.transaction,
                                    facts.begin.request.operator_name,
                                    facts.begin.request.purpose,
                                    facts.begin.request.project,
                                    outcome,
                                    facts.begin.base_generation,
                                    {"release/" + facts.next.app},
                                    why.message});
  // Without the audit line the transaction stays open, so that a recovery writes it.
  if (written.ok()) (void)writer.append(journal::Closed{outcome});
  return out;
}

Event result_event(const RolloutSurroundings& around, const std::string& app, const TransactionOutcome& outcome,
                   std::vector<std::string> log) {
  Event result;
  result.type = Event::Type::kResult;
  result.outcome = outcome.outcome;
  result.generation = outcome.generation;
  result.changed = outcome.changed;
  result.errors = outcome.errors;
  const auto known = ReleaseRegistry(around.host.machine, around.host.directory).read(app);
  if (known.ok()) result.release = known->current;
  result.log = std::move(log);
  return result;
}

}  // namespace sentinel
