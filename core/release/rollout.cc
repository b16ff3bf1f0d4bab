// SPDX-License-Identifier: Apache-2.0
// The order of things. What each phase does is in store and runtime; how it ends, in rollout_end.
#include "core/release/rollout.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/engine/executor.h"
#include "core/engine/revert.h"
#include "core/model/transaction_id.h"
#include "core/release/migrations.h"
#include "core/release/release_plan.h"
#include "core/release/rollout_end.h"

namespace sentinel {
namespace {

constexpr std::uint32_t kHurriedMs = 50;

Error taken_back_on_request() {
  return Error("engine.interrupted", "taken back on request", "", ExitCode::kInterrupted);
}

}  // namespace

struct Rollout::Run {
  RolloutSurroundings& around;
  Control& control;
  const TransactionInput& input;
  HostState& host;
  Request request;
  SecretView secrets;
  ReleaseRegistry registry;
  ReleaseStore store;
  AppReleases app;
  RolloutFacts facts;
  PlannedRequest planned;
  std::optional<journal::Writer> writer;
  std::optional<Error> unproved;  ///< it failed after the switch, and was to be kept
  std::vector<std::string> log;   ///< of a release that failed

  Run(RolloutSurroundings& surroundings, Control& given, const TransactionInput& ordered)
      : around(surroundings),
        control(given),
        input(ordered),
        host(surroundings.host),
        request(ordered.request),
        secrets(host.secrets, ordered.request.secrets, ordered.secrets),
        registry(host.machine, host.directory),
        store(host) {}

  bool cancelled() const { return control.abort_requested(); }

  const Release& next() const { return facts.next; }

  std::string step() const { return "release/" + next().app; }

  void tell(Event::Type type, const std::string& text, const std::string& about = {}) {
    Event event;
    event.type = type;
    event.text = text;
    event.step = about;
    around.events.tell(std::move(event));
  }

  /// Journalled before anything of it is done.
  Result<void> enter(const std::string& phase) {
    if (cancelled()) return taken_back_on_request();
    SENTINEL_CHECK(writer->append(journal::RolloutPhase{phase, facts.former ? facts.former->id : ""}));
    tell(Event::Type::kPhase, phase);
    return {};
  }

  Result<void> record(ReleaseState state) {
    auto* known = app.find(next().id);
    if (known == nullptr) {
      app.releases.emplace_back();
      known = &app.releases.back();
    }
    *known = {next(), state, to_rfc3339(around.clock.now()), input.id, "", {}};
    return registry.write(app);
  }

  Result<void> prepare();
  Result<void> visit_secrets();
  /// Its undo is journalled before a migration runs, and what was done is remembered right after it.
  Result<void> migrate(const std::string& migration, const std::vector<Action>& actions, std::vector<Action> undo,
                       const std::string& irreversible, const std::vector<DoneMigration>& done_then);
  Result<void> run_migrations();
  Result<void> undo_migrations();
  Result<void> stage();
  /// A release that was in force a moment ago may still drain.
  Result<void> await_its_end();
  Result<void> candidate();
  Result<void> switch_over();
  /// A release that failed after the switch: taken back, or kept where that was ordered.
  Result<void> failed(Error why);
  Result<void> promote();
  Result<void> act();
  TransactionOutcome execute();
  TransactionOutcome commit();
  TransactionOutcome give_up(Error why);
  TransactionOutcome revert(Error why);
};

Result<void> Rollout::Run::prepare() {
  if (!is_transaction_id(input.id))
    return Error("journal.bad-id", fmt::format("'{}' is not a transaction id", input.id));
  SENTINEL_CHECK(host.directory.prepare(host.machine));
  SENTINEL_TRY(const auto open, journal::open_transactions(host.machine, host.directory));
  if (!open.damaged.empty()) return open.damaged.begin()->second;
  if (!open.transactions.empty()) {
    return Error("engine.unfinished",
                 fmt::format("transaction {} has not been finished or reverted yet", open.transactions.front()),
                 "on the host: sentinel-agent recover");
  }
  tell(Event::Type::kPhase, "observe");
  SENTINEL_TRY(app, registry.read(request.release->release.app));
  SENTINEL_TRY(request.release, complete_order(*request.release, app));
  facts.next = request.release->release;
  if (const auto* current = app.find(app.current); current != nullptr) facts.former = current->release;
  const auto stored = [&](const std::string& digest) -> std::optional<std::string> {
    auto bytes = host.blobs.get(digest);
    if (!bytes.ok()) return std::nullopt;
    return std::move(bytes).value();
  };
  SENTINEL_TRY(planned, plan_release(request, host, secrets, stored));
  if (!input.expected.empty() && planned.plan.observed != input.expected) {
    return Error("plan.stale", "the host is no longer as the plan saw it; nothing was changed", "look at a new plan",
                 ExitCode::kStalePlan);
  }
  if (!planned.missing.empty()) {
    return Error("plan.missing-contents",
                 fmt::format("{} contents of the plan are not on the host", planned.missing.size()));
  }
  if (!planned.plan.steps.empty()) SENTINEL_CHECK(secrets.generate_missing());
  return {};
}

Result<void> Rollout::Run::visit_secrets() {
  SENTINEL_TRY(const auto key, host.secrets.host_key());
  Executor executor({host, around.clock, around.events, secrets});
  for (const auto& spec : request.secrets) {
    SENTINEL_TRY(const auto state, secrets.observe(spec, key));
    SENTINEL_TRY(const auto wanted, secrets.plan(spec, host.blobs));
    if (wanted.changes.empty()) continue;
    SENTINEL_TRY(auto undo, executor.capture(wanted, state));
    const auto number = static_cast<std::uint32_t>(facts.intents.size());
    facts.intents.push_back({number, wanted.id, std::move(undo), "", {}});
    SENTINEL_CHECK(writer->append(facts.intents.back()));
    for (const auto& action : wanted.actions) SENTINEL_CHECK(executor.run(action));
    SENTINEL_CHECK(writer->append(journal::Done{number}));
  }
  return {};
}

Result<void> Rollout::Run::stage() {
  SENTINEL_CHECK(enter("stage"));
  SENTINEL_CHECK(visit_secrets());
  // The plan has just found it unaltered.
  if (request.release->action == ReleaseOrder::Action::kRollback) return {};
  facts.next.created = facts.begin.started;
  facts.next.operator_name = request.operator_name;
  SENTINEL_TRY(facts.next.tree_digest, store.stage(next()));
  return record(ReleaseState::kStaged);
}

Result<void> Rollout::Run::migrate(const std::string& migration, const std::vector<Action>& actions,
                                   std::vector<Action> undo, const std::string& irreversible,
                                   const std::vector<DoneMigration>& done_then) {
  if (cancelled()) return taken_back_on_request();
  const auto number = static_cast<std::uint32_t>(facts.intents.size());
  facts.intents.push_back({number, migration_step(migration), std::move(undo), irreversible, {}});
  SENTINEL_CHECK(writer->append(facts.intents.back()));
  tell(Event::Type::kStepStarted, "migration " + migration, migration_step(migration));
  Executor executor({host, around.clock, around.events, secrets});
  for (const auto& action : actions) {
    if (auto ran = executor.run(action); !ran.ok()) {
      return std::move(ran).error().during(fmt::format("migration {}", migration));
    }
  }
  app.migrations = done_then;
  SENTINEL_CHECK(registry.write(app));
  SENTINEL_CHECK(writer->append(journal::Done{number}));
  tell(Event::Type::kStepDone, "changed", migration_step(migration));
  return {};
}

Result<void> Rollout::Run::run_migrations() {
  for (const auto& one : migration_work(app, *request.release).run) {
    auto done_then = app.migrations;
    done_then.push_back({one, next().id, to_rfc3339(around.clock.now()), input.id});
    auto undo = one.undo.empty() ? std::vector<Action>() : migration_actions(next(), one.id, one.undo);
    SENTINEL_CHECK(
        migrate(one.id, migration_actions(next(), one.id, one.run), std::move(undo), one.irreversible, done_then));
  }
  return {};
}

Result<void> Rollout::Run::undo_migrations() {
  if (!facts.former) return {};
  // By the release that is left: it has the commands of all that were run up to it.
  const auto& former = *facts.former;
  for (const auto& one : migration_work(app, *request.release).undo) {
    auto done_then = app.migrations;
    std::erase(done_then, one);
    SENTINEL_CHECK(migrate(one.migration.id, migration_actions(former, one.migration.id, one.migration.undo),
                           migration_actions(former, one.migration.id, one.migration.run), "", done_then));
  }
  return {};
}

Result<void> Rollout::Run::await_its_end() {
  SENTINEL_TRY(const bool busy, around.runtime.must_end_first(next()));
  if (!busy) return {};
  tell(Event::Type::kWaiting, fmt::format("release {} still ends the streams of its last time", next().id));
  return around.runtime.drain(next(), true);
}

Result<void> Rollout::Run::candidate() {
  SENTINEL_CHECK(around.runtime.check(next()));
  SENTINEL_CHECK(await_its_end());
  SENTINEL_CHECK(store.fill_private(next(), secrets));
  SENTINEL_CHECK(run_migrations());
  SENTINEL_CHECK(enter("candidate"));
  facts.touched = true;
  SENTINEL_CHECK(around.runtime.prepare(next()));
  SENTINEL_CHECK(record(ReleaseState::kCandidate));
  SENTINEL_CHECK(around.runtime.start_candidate(next()));
  tell(Event::Type::kPhase, "health");
  auto judged = next();
  if (request.release->action == ReleaseOrder::Action::kRollback) {
    // The same probes, as often, but at the pace of somebody in trouble. Not those that do real work: they may need a
    // network, which may be the trouble, and this release passed them when it came.
    auto& probes = judged.policy.health.probes;
    std::erase_if(probes, [](const Probe& probe) { return probe.kind == ProbeKind::kVerify; });
    for (auto& probe : probes) probe.interval_ms = std::min(probe.interval_ms, kHurriedMs);
  }
  SENTINEL_CHECK(store.give_headers(judged));
  return around.judge.await_ready(judged, facts.former, around.runtime, [this] { return cancelled(); });
}

Result<void> Rollout::Run::switch_over() {
  SENTINEL_CHECK(enter("switch"));
  SENTINEL_CHECK(around.runtime.switch_to(next(), facts.former));
  SENTINEL_CHECK(record(ReleaseState::kServing));
  // Going back is immediate: what it goes to was watched when it came.
  if (request.release->action == ReleaseOrder::Action::kRollback) return undo_migrations();
  tell(Event::Type::kPhase, "bake");
  auto watched = around.judge.watch(next(), around.runtime, [this] { return cancelled(); });
  if (watched.ok()) {
    if (!watched->empty()) tell(Event::Type::kWarning, *watched);
    return {};
  }
  return failed(std::move(watched).error());
}

Result<void> Rollout::Run::failed(Error why) {
  if (request.release->roll_back || cancelled()) return why;
  unproved = std::move(why);
  return {};
}

Result<void> Rollout::Run::promote() {
  SENTINEL_CHECK(enter("promote"));
  facts.promoted = true;
  SENTINEL_CHECK(around.runtime.promote(next(), facts.former));
  if (unproved) return {};
  // From now on it is started again when it ends, but not for an end before.
  SENTINEL_TRY(const auto activity, around.runtime.activity(next()));
  if (activity.ended.empty()) return {};
  return failed(
      unhealthy_release(fmt::format("release {} ended while it had the traffic: {}", next().id, activity.ended)));
}

Result<void> Rollout::Run::act() {
  SENTINEL_CHECK(stage());
  SENTINEL_CHECK(candidate());
  SENTINEL_CHECK(switch_over());
  return promote();
}

TransactionOutcome Rollout::Run::give_up(Error why) {
  if (writer) (void)writer->append(journal::Closed{"failed"});
  TransactionOutcome outcome;
  outcome.outcome = "failed";
  outcome.exit = why.exit;
  outcome.generation = host.generations.current().value_or(0);
  outcome.errors.push_back(std::move(why));
  return outcome;
}

TransactionOutcome Rollout::Run::revert(Error why) {
  tell(Event::Type::kPhase, "revert");
  auto taken = take_back(around, *writer, facts, why);
  log = std::move(taken.log);
  TransactionOutcome outcome;
  outcome.outcome = taken.left.empty() ? "reverted" : "stuck";
  outcome.exit = taken.left.empty() ? why.exit : ExitCode::kStuck;
  outcome.generation = facts.begin.base_generation;
  outcome.errors.push_back(std::move(why));
  if (!taken.left.empty()) {
    outcome.errors.push_back(stuck_error(taken.left, taken.for_lack_of_room));
    for (auto& error : taken.errors) outcome.errors.push_back(std::move(error));
  }
  return outcome;
}

TransactionOutcome Rollout::Run::commit() {
  tell(Event::Type::kPhase, "commit");
  journal::Commit decision;
  decision.time = to_rfc3339(around.clock.now());
  decision.changed = {step()};
  decision.generation = {{"proved", !unproved.has_value()}};
  if (auto written = writer->append(decision); !written.ok()) {
    // Taking back is right only when the record is certainly not there: recovery would take it for the decision.
    if (writer->repair().ok()) return revert(std::move(written).error());
    TransactionOutcome outcome;
    outcome.outcome = "stuck";
    outcome.exit = ExitCode::kStuck;
    outcome.errors = {
        Error("engine.undecided", "everything is done, but the journal can't be written, so it is not decided",
              "make room on the host's disk; it is decided by itself then", ExitCode::kStuck),
        std::move(written).error()};
    return outcome;
  }
  tell(Event::Type::kStepDone, "changed", step());
  // What isn't written now, recovery writes.
  if (auto finished = finish_rollout(around, *writer, facts, decision); !finished.ok()) {
    tell(Event::Type::kWarning, finished.error().message + "; it is decided, and the host finishes it by itself once it can");
  }
  TransactionOutcome outcome;
  outcome.outcome = "changed";
  outcome.generation = facts.begin.base_generation;
  outcome.changed = decision.changed;
  if (unproved) {
    outcome.outcome = "stuck";
    outcome.exit = ExitCode::kStuck;
    outcome.errors = {
        Error("release.kept", fmt::format("release {} failed and keeps the traffic, as ordered", next().id),
              "go back: sentinelctl rollback", ExitCode::kStuck),
        std::move(*unproved)};
  }
  return outcome;
}

TransactionOutcome Rollout::Run::execute() {
  if (auto prepared = prepare(); !prepared.ok()) return give_up(std::move(prepared).error());
  if (planned.plan.steps.empty()) {
    TransactionOutcome outcome;
    outcome.outcome = "unchanged";
    outcome.generation = host.generations.current().value_or(0);
    return outcome;
  }
  auto opened = begin_journal(host, around.clock, input, request, planned.states, facts.begin);
  if (!opened.ok()) return give_up(std::move(opened).error());
  writer.emplace(std::move(opened).value());
  tell(Event::Type::kStepStarted, planned.plan.steps.back().title, step());
  if (auto done = act(); !done.ok()) return revert(std::move(done).error());
  return commit();
}

TransactionOutcome Rollout::run(const TransactionInput& input) {
  Run run(around_, control_, input);
  auto outcome = run.execute();
  around_.events.tell(result_event(around_, input.request.release->release.app, outcome, std::move(run.log)));
  return outcome;
}

Recovery recover_rollout(const RolloutSurroundings& around, journal::Writer& writer, const journal::Summary& summary) {
  Recovery recovery;
  recovery.transaction = summary.begin.transaction;
  TransactionOutcome outcome;
  std::vector<std::string> log;
  const auto facts = facts_of(summary, around.host);
  if (!facts.ok()) {
    outcome = {"stuck", ExitCode::kStuck, 0, {}, {facts.error()}};
  } else if (summary.commit) {
    outcome = {"changed", ExitCode::kDone, summary.begin.base_generation, summary.commit->changed, {}};
    // What a reboot may have undone is done again.
    auto finished = around.runtime.promote(facts->next, facts->former);
    if (finished.ok()) finished = finish_rollout(around, writer, *facts, *summary.commit);
    if (!finished.ok()) {
      outcome = {"stuck", ExitCode::kStuck, summary.begin.base_generation, {}, {finished.error()}};
    }
  } else {
    const auto why =
        summary.revert ? Error("engine.recovered", summary.revert->why, "", static_cast<ExitCode>(summary.revert->exit))
                       : Error("engine.recovered", "the transaction's process ended before it was done");
    auto taken = take_back(around, writer, *facts, why);
    log = std::move(taken.log);
    outcome = {taken.left.empty() ? "reverted" : "stuck",
               taken.left.empty() ? why.exit : ExitCode::kStuck,
               summary.begin.base_generation,
               {},
               {why}};
    if (!taken.left.empty()) outcome.errors.push_back(stuck_error(taken.left, taken.for_lack_of_room));
    for (auto& error : taken.errors) outcome.errors.push_back(std::move(error));
  }
  around.events.tell(result_event(around, summary.begin.request.release->release.app, outcome, std::move(log)));
  recovery.outcome = outcome.outcome;
  recovery.exit = outcome.exit;
  recovery.errors = std::move(outcome.errors);
  return recovery;
}

}  // namespace sentinel
