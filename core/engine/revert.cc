// SPDX-License-Identifier: Apache-2.0
#include "core/engine/revert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/engine/effects.h"
#include "core/engine/planner.h"
#include "core/engine/room.h"

namespace sentinel {
namespace {

// Whether observing tells that a step was undone. A command that always runs leaves no state to look at.
bool vouches(const ResourceBody& body) {
  const auto* command = std::get_if<Command>(&body);
  return command == nullptr || !command->always;
}

Directory absent(Directory directory) {
  directory.ensure = Ensure::kAbsent;
  return directory;
}

// A directory that was made and now holds files that aren't ours is kept with them: nothing is lost. Docker, for one,
// puts a key of its own beside its configuration.
std::optional<Error> kept_directory(const Resource& resource, const nlohmann::json& before, Reader& machine) {
  const auto* directory = std::get_if<Directory>(&resource.body);
  if (directory == nullptr || restored(resource.body, before) != ResourceBody(absent(*directory))) return std::nullopt;
  const auto entries = machine.list(directory->path);
  if (!entries.ok() || entries->empty()) return std::nullopt;
  return Error("engine.directory-kept", fmt::format("{} was not there before and is kept: it holds {}", directory->path,
                                                    fmt::join(*entries, ", ")));
}

}  // namespace

Error stuck_error(const std::vector<std::string>& left, bool for_lack_of_room) {
  return Error("engine.stuck", fmt::format("not as it was before: {}", fmt::join(left, ", ")),
               for_lack_of_room ? "make room on the host's disk; it is put back by itself then"
                                : "look at these on the host; nothing more will be tried by itself",
               ExitCode::kStuck);
}

void Revert::undo(const journal::Intent& intent, Errors& errors) {
  Executor executor(around_);
  for (const auto& action : intent.undo) {
    auto done = executor.run(action);
    if (!done.ok()) errors.push_back(std::move(done).error().during("undoing " + intent.id));
    if (OperatorAccess::is_forgotten_after(action)) access_.protect();
  }
}

void Revert::pay_all(const std::vector<journal::Intent>& intents, Reverted& reverted) {
  EffectLedger ledger;
  for (const auto& intent : intents) ledger.owe(intent.effects);
  for (const auto& effect : ledger.owed()) {
    auto paid = pay(effect, around_.host.machine, around_.clock, MissingUnit::kIsFine);
    if (!paid.ok()) {
      reverted.left.push_back(to_string(effect));
      reverted.errors.push_back(std::move(paid).error());
    }
    if (OperatorAccess::is_forgotten_after(effect)) access_.protect();
  }
}

void Revert::verify(const journal::Summary& summary, const std::set<std::string>& failed, Reverted& reverted) {
  auto& host = around_.host;
  const auto& begin = summary.begin;
  auto surroundings = host.surroundings(around_.secrets, begin.request.keep_open);
  if (!surroundings.ok()) {
    reverted.left.push_back("what was managed: it can't be looked at");
    reverted.errors.push_back(std::move(surroundings).error());
    return;
  }
  std::set<std::string> irreversible;
  for (const auto& intent : summary.intents) {
    if (!intent.irreversible.empty()) irreversible.insert(intent.id);
  }
  const auto key = surroundings->host_key;
  Survey survey(std::move(surroundings).value());
  survey.prefetch(begin.request.resources);
  const auto compare = [&](const std::string& id, Result<nlohmann::json> now, bool can_vouch) {
    const auto before = begin.states.find(id);
    if (before == begin.states.end() || irreversible.count(id) > 0) return;
    if (!now.ok()) {
      reverted.left.push_back(id);
      reverted.errors.push_back(std::move(now).error().during("looking at " + id));
    } else if (lasting(*now) != lasting(before->second) || (!can_vouch && failed.count(id) > 0)) {
      reverted.left.push_back(id);
    }
  };
  for (const auto& spec : begin.request.secrets) {
    compare("secret/" + spec.name, around_.secrets.observe(spec, key), true);
  }
  for (const auto& resource : begin.request.resources) {
    const auto before = begin.states.find(resource.id);
    if (auto kept =
            before == begin.states.end() ? std::nullopt : kept_directory(resource, before->second, host.machine)) {
      reverted.errors.push_back(std::move(*kept));
      continue;
    }
    compare(resource.id, survey.observe(resource.body), vouches(resource.body));
  }
}

Reverted Revert::run(journal::Writer& writer, const journal::Summary& summary, const std::string& why, ExitCode exit) {
  Event reverting;
  reverting.type = Event::Type::kReverting;
  reverting.text = why;
  around_.events.tell(std::move(reverting));
  (void)writer.append(journal::RevertBegin{why, static_cast<int>(exit)});
  Reverted reverted;
  std::set<std::string> failed;
  for (auto intent = summary.intents.rbegin(); intent != summary.intents.rend(); ++intent) {
    const auto errors_before = reverted.errors.size();
    undo(*intent, reverted.errors);
    if (reverted.errors.size() > errors_before) failed.insert(intent->id);
    (void)writer.append(journal::RevertedStep{intent->step});
  }
  pay_all(summary.intents, reverted);
  access_.unban();
  verify(summary, failed, reverted);
  if (auto durable = make_programs_work_durable(around_.host.machine); !durable.ok()) {
    reverted.left.push_back("what programs put back: it can't be synced");
    reverted.errors.push_back(std::move(durable).error());
  }
  reverted.for_lack_of_room = !reverted.left.empty() && !has_room(around_.host);
  if (reverted.for_lack_of_room) return reverted;
  (void)writer.append(journal::RevertEnd{reverted.left});
  const std::string outcome = reverted.left.empty() ? "reverted" : "stuck";
  const auto& begin = summary.begin;
  AuditEntry entry{to_rfc3339(around_.clock.now()),
                   begin.transaction,
                   begin.request.operator_name,
                   begin.request.purpose,
                   begin.request.project,
                   outcome,
                   begin.base_generation,
                   {},
                   why};
  for (const auto& intent : summary.intents) entry.changed.push_back(intent.id);
  auto written = around_.host.audit.append(entry);
  // Without the audit line the transaction stays open, so that a recovery writes it.
  if (written.ok()) (void)writer.append(journal::Closed{outcome});
  if (reverted.left.empty()) {
    for (auto& error : reverted.errors) {
      Event warning;
      warning.type = Event::Type::kWarning;
      warning.text = error.message;
      around_.events.tell(std::move(warning));
    }
  }
  return reverted;
}

void Revert::files_only(const journal::Summary& summary) {
  Executor executor(around_);
  for (auto intent = summary.intents.rbegin(); intent != summary.intents.rend(); ++intent) {
    for (const auto& action : intent->undo) (void)executor.run_files_only(action);
  }
}

}  // namespace sentinel
