// SPDX-License-Identifier: Apache-2.0
// The order of things; what each does is in planner, staging, acting, revert and commit.
#include "core/engine/transaction.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/engine/acting.h"
#include "core/engine/commit.h"
#include "core/engine/planner.h"
#include "core/engine/recover.h"
#include "core/engine/revert.h"
#include "core/model/transaction_id.h"

namespace sentinel {
namespace {

// The kernel tells when a process began in steps of 1/USER_HZ = 10 ms, rounded down (proc_pid_stat(5)): a session that
// comes within the step in which the change was made could not be told from one that was open before.
constexpr std::chrono::milliseconds kProcessStartTick{10};

/// "mode is still '0644', not '0600'", for every change of a step that was done already.
std::string remaining(const Step& step) {
  constexpr std::size_t kShown = 120;
  std::string out;
  for (const auto& change : step.changes) {
    const bool shown = !change.sensitive && change.before.size() + change.after.size() <= kShown;
    out += fmt::format("{}{}{}", out.empty() ? "" : ", ", change.attribute,
                       shown ? fmt::format(" is still '{}', not '{}'", change.before, change.after) : std::string());
  }
  return out;
}

Error reverted_on_request() {
  return Error("engine.interrupted", "reverted on request", "", ExitCode::kInterrupted);
}

}  // namespace

Result<journal::Writer> begin_journal(HostState& host, Clock& clock, const TransactionInput& input,
                                      const Request& request, const std::map<std::string, nlohmann::json>& states,
                                      journal::Begin& begin) {
  begin.transaction = input.id;
  begin.request = request;
  begin.agent = input.agent;
  SENTINEL_TRY(begin.boot_id, boot_id(host.machine));
  begin.started = to_rfc3339(clock.now());
  begin.deadline_ns = static_cast<std::uint64_t>((clock.since_boot() + input.budget).count());
  SENTINEL_TRY(begin.base_generation, host.generations.current());
  begin.operator_address = input.operator_address;
  begin.states = states;
  SENTINEL_TRY(auto writer, journal::Writer::create(host.machine, host.directory, input.id));
  SENTINEL_CHECK(writer.append(begin));
  return writer;
}

struct Transaction::Run {
  Run(Surroundings& surroundings, const TransactionInput& given)
      : around(surroundings),
        host(surroundings.host),
        input(given),
        request(given.request),
        secrets(host.secrets, given.request.secrets, given.secrets),
        executor{host,    around.clock,      around.events,
                 secrets, around.lock_probe, [this] { return around.control.abort_requested(); }},
        access(host.machine, around.events, given.operator_address, given.id),
        staging(executor, around.future) {
    for (const auto& port : input.ports_in_use) {
      auto& open = request.keep_open;
      if (std::find(open.begin(), open.end(), port) == open.end()) open.push_back(port);
    }
  }

  Surroundings& around;
  HostState& host;
  const TransactionInput& input;
  Request request;  ///< the given one, with the ports in use among keep_open
  SecretView secrets;
  Executor::Surroundings executor;
  OperatorAccess access;
  Staging staging;
  std::unique_ptr<Survey> survey;
  std::optional<journal::Writer> writer;
  journal::Begin begin;
  PlannedRequest planned;
  std::map<std::string, nlohmann::json> states_after;

  TransactionOutcome execute();
  Result<void> prepare();
  Result<void> check_no_other();
  Result<void> prove(Acting& acting);
  Result<PlannedRequest> plan_again();
  Result<void> await_confirmation();
  TransactionOutcome commit(const Acting& acting);
  TransactionOutcome give_up(Error why);
  TransactionOutcome revert(const std::vector<journal::Intent>& intents, Error why);

  void phase(const std::string& name) { tell(Event::Type::kPhase, name); }

  void tell(Event::Type type, const std::string& text, std::chrono::nanoseconds remaining = {}) {
    Event event;
    event.type = type;
    event.text = text;
    event.deadline_ms =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(remaining).count());
    around.events.tell(std::move(event));
  }

  void warn(const Error& error) { tell(Event::Type::kWarning, error.message); }
};

// A transaction on top of an unfinished one could be undone into a mixture of both.
Result<void> Transaction::Run::check_no_other() {
  SENTINEL_TRY(const auto open, journal::open_transactions(host.machine, host.directory));
  if (!open.damaged.empty()) return open.damaged.begin()->second;
  if (open.transactions.empty()) return {};
  return Error("engine.unfinished",
               fmt::format("transaction {} has not been finished or reverted yet", open.transactions.front()),
               "on the host: sentinel-agent recover");
}

Result<void> Transaction::Run::prepare() {
  if (!is_transaction_id(input.id))
    return Error("journal.bad-id", fmt::format("'{}' is not a transaction id", input.id));
  SENTINEL_CHECK(host.directory.prepare(host.machine));
  SENTINEL_CHECK(check_no_other());
  SENTINEL_TRY(const auto known, host.machine.status(host.directory.log(input.id)));
  if (known.type != FileType::kAbsent) {
    return Error("journal.known-transaction", fmt::format("transaction {} has begun before", input.id),
                 "attach to it, or begin a new one");
  }
  access.protect();
  phase("observe");
  SENTINEL_TRY(auto surroundings, host.surroundings(secrets, request.keep_open));
  survey = std::make_unique<Survey>(std::move(surroundings));
  SENTINEL_TRY(planned, plan_request(request, host, secrets, *survey));
  if (!input.expected.empty() && planned.plan.observed != input.expected) {
    return Error("plan.stale", "the host is no longer as the plan saw it; nothing was changed", "look at a new plan",
                 ExitCode::kStalePlan);
  }
  if (!planned.missing.empty()) {
    return Error("plan.missing-contents",
                 fmt::format("{} contents of the plan are not on the host", planned.missing.size()));
  }
  if (planned.plan.steps.empty()) return {};
  SENTINEL_CHECK(secrets.generate_missing());
  phase("stage");
  return staging.check(request.resources, planned.plan);
}

// Without commands that always run: they are never "already so".
Result<PlannedRequest> Transaction::Run::plan_again() {
  Request provable = request;
  std::erase_if(provable.resources, [](const Resource& resource) {
    const auto* command = std::get_if<Command>(&resource.body);
    return command != nullptr && command->always;
  });
  survey->forget();
  return plan_request(provable, host, secrets, *survey);
}

// Planning again must give nothing.
Result<void> Transaction::Run::prove(Acting& acting) {
  phase("prove");
  SENTINEL_TRY(auto again, plan_again());
  SENTINEL_TRY(const bool settled, acting.settle(again.plan));
  if (settled) {
    SENTINEL_TRY(again, plan_again());
  }
  if (!again.plan.steps.empty()) {
    const auto& step = again.plan.steps.front();
    return Error("engine.not-converged",
                 fmt::format("{} did not become what it should be: {}", step.id, remaining(step)));
  }
  states_after = std::move(again.states);
  return {};
}

Result<void> Transaction::Run::await_confirmation() {
  phase("confirm");
  const auto activated = around.clock.since_boot();
  SENTINEL_CHECK(writer->append(journal::Activated{static_cast<std::uint64_t>(activated.count())}));
  around.clock.sleep(kProcessStartTick);
  auto deadline = activated + std::chrono::seconds(request.confirm_timeout_seconds);
  while (true) {
    SENTINEL_CHECK(writer->append(journal::AwaitConfirm{static_cast<std::uint64_t>(deadline.count())}));
    tell(Event::Type::kAwaitConfirm, "", std::max(deadline - around.clock.since_boot(), std::chrono::nanoseconds(0)));
    const auto reply = around.control.wait_for_confirmation(activated, deadline);
    switch (reply.answer) {
      case Control::Answer::kConfirmed:
        SENTINEL_CHECK(writer->append(journal::Confirmed{reply.by}));
        tell(Event::Type::kConfirmed, reply.by);
        return {};
      case Control::Answer::kExtended: deadline = std::max(deadline, reply.deadline); break;
      case Control::Answer::kExpired:
        return Error("engine.not-confirmed", "nobody confirmed over a new connection before the deadline");
      case Control::Answer::kAborted: return reverted_on_request();
    }
  }
}

TransactionOutcome Transaction::Run::give_up(Error why) {
  if (writer) (void)writer->append(journal::Closed{"failed"});
  TransactionOutcome outcome;
  outcome.outcome = "failed";
  outcome.exit = why.exit;
  outcome.generation = host.generations.current().value_or(0);
  outcome.errors.push_back(std::move(why));
  return outcome;
}

TransactionOutcome Transaction::Run::revert(const std::vector<journal::Intent>& intents, Error why) {
  phase("revert");
  journal::Summary summary;
  summary.begin = begin;
  summary.intents = intents;
  // A revert goes on whatever the operator's side asks for.
  auto undoing = executor;
  undoing.interrupted = [] { return false; };
  Revert back(undoing, access);
  auto reverted = back.run(*writer, summary, why.message, why.exit);
  TransactionOutcome outcome;
  outcome.outcome = reverted.left.empty() ? "reverted" : "stuck";
  outcome.exit = reverted.left.empty() ? why.exit : ExitCode::kStuck;
  outcome.generation = begin.base_generation;
  outcome.errors.push_back(std::move(why));
  if (!reverted.left.empty()) {
    outcome.errors.push_back(stuck_error(reverted.left, reverted.for_lack_of_room));
    for (auto& error : reverted.errors) outcome.errors.push_back(std::move(error));
  }
  return outcome;
}

TransactionOutcome Transaction::Run::commit(const Acting& acting) {
  phase("commit");
  journal::Commit record;
  record.time = to_rfc3339(around.clock.now());
  record.changed = acting.changed();
  auto generation = next_generation(begin, states_after, host, *survey, record.time);
  if (!generation.ok()) return revert(acting.intents(), std::move(generation).error());
  record.generation = *generation;
  if (auto durable = make_programs_work_durable(host.machine); !durable.ok()) {
    return revert(acting.intents(), std::move(durable).error());
  }
  auto written = writer->append(record);
  if (!written.ok()) {
    // Undoing is right only when the record is certainly not there: recovery would take it for the decision.
    auto repaired = writer->repair();
    if (repaired.ok()) return revert(acting.intents(), std::move(written).error());
    TransactionOutcome outcome;
    outcome.outcome = "stuck";
    outcome.exit = ExitCode::kStuck;
    outcome.generation = begin.base_generation;
    outcome.errors = {
        Error("engine.undecided", "everything is done, but the journal can't be written, so it is not decided",
              "make room on the host's disk; it is decided by itself then", ExitCode::kStuck),
        std::move(written).error(), std::move(repaired).error()};
    return outcome;
  }
  // From here on nothing can fail the transaction: what isn't written now, recovery writes.
  if (auto finished = finish_commit(*writer, begin, record, host); !finished.ok()) {
    warn(finished.error());
  } else if (auto pruned = prune(host, around.clock); !pruned.ok()) {
    warn(pruned.error());
  }
  TransactionOutcome outcome;
  outcome.outcome = "changed";
  outcome.generation = generation->number;
  outcome.changed = record.changed;
  return outcome;
}

TransactionOutcome Transaction::Run::execute() {
  auto prepared = prepare();
  if (auto removed = remove_staged(host); !removed.ok() && prepared.ok()) prepared = removed;
  if (!prepared.ok()) return give_up(std::move(prepared).error());
  if (planned.plan.steps.empty()) {
    TransactionOutcome outcome;
    outcome.outcome = "unchanged";
    outcome.generation = host.generations.current().value_or(0);
    return outcome;
  }
  auto opened = begin_journal(host, around.clock, input, request, planned.states, begin);
  if (!opened.ok()) return give_up(std::move(opened).error());
  writer.emplace(std::move(opened).value());
  phase("apply");
  Acting acting({executor, *survey, access, *writer, staging, around.control, begin, planned.plan});
  auto done = acting.run_steps();
  if (done.ok()) {
    phase("effects");
    done = acting.pay_effects();
  }
  if (done.ok()) done = prove(acting);
  if (done.ok() && acting.guard_armed()) done = await_confirmation();
  // A request that came while the last step or the proof ran still counts: only the commit record decides.
  if (done.ok() && around.control.abort_requested()) done = reverted_on_request();
  if (done.ok()) return commit(acting);
  if (acting.intents().empty()) return give_up(std::move(done).error());
  return revert(acting.intents(), std::move(done).error());
}

Transaction::Transaction(Surroundings surroundings) : around_(std::move(surroundings)) {}

Transaction::~Transaction() = default;

TransactionOutcome Transaction::run(const TransactionInput& input) {
  Run run(around_, input);
  auto outcome = run.execute();
  run.access.release_later();
  Event result;
  result.type = Event::Type::kResult;
  result.outcome = outcome.outcome;
  result.generation = outcome.generation;
  result.changed = outcome.changed;
  result.errors = outcome.errors;
  around_.events.tell(std::move(result));
  return outcome;
}

}  // namespace sentinel
