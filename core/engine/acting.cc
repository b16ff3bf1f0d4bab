// SPDX-License-Identifier: Apache-2.0
#include "core/engine/acting.h"

#include <fmt/format.h>

#include <algorithm>

namespace sentinel {
namespace {

Event event_of(Event::Type type, const std::string& step, std::string text) {
  Event event;
  event.type = type;
  event.step = step;
  event.text = std::move(text);
  return event;
}

InstallPackages* installation_in(std::vector<Action>& actions) {
  for (auto& action : actions) {
    if (auto* install = std::get_if<InstallPackages>(&action)) return install;
  }
  return nullptr;
}

}  // namespace

Acting::Acting(Surroundings around) : around_(std::move(around)), executor_(around_.executor) {
  for (const auto& step : around_.announced.steps) announced_ids_.insert(step.id);
}

Result<void> Acting::run_steps() {
  for (const auto& spec : around_.begin.request.secrets) SENTINEL_CHECK(visit_secret(spec));
  for (const auto& resource : around_.begin.request.resources) {
    if (!is_announced(resource.id) && intents_.empty()) continue;
    auto done = visit_resource(resource);
    if (!done.ok()) {
      const auto where = resource.origin.empty() ? resource.id : fmt::format("{} ({})", resource.id, resource.origin);
      return std::move(done).error().during("applying " + where);
    }
  }
  return {};
}

Result<void> Acting::check_going_on() {
  if (around_.control.abort_requested()) {
    return Error("engine.interrupted", "interrupted on request", "", ExitCode::kInterrupted);
  }
  if (static_cast<std::uint64_t>(around_.executor.clock.since_boot().count()) >= around_.begin.deadline_ns) {
    return Error("engine.deadline", "the transaction took longer than it may");
  }
  return {};
}

Result<void> Acting::visit_secret(const SecretSpec& spec) {
  SENTINEL_CHECK(check_going_on());
  auto& host = around_.executor.host;
  SENTINEL_TRY(const auto key, host.secrets.host_key());
  SENTINEL_TRY(const auto state, around_.executor.secrets.observe(spec, key));
  SENTINEL_TRY(auto step, around_.executor.secrets.plan(spec, host.blobs));
  if (step.changes.empty()) return {};
  return act(std::move(step), state);
}

Result<void> Acting::visit_resource(const Resource& resource) {
  SENTINEL_CHECK(check_going_on());
  if (forget_ || is_announced(resource.id)) around_.survey.forget();
  forget_ = false;
  SENTINEL_TRY(const auto state, around_.survey.observe(resource.body));
  SENTINEL_TRY(auto step, around_.survey.plan(resource, state));
  if (step.changes.empty()) {
    // The plan showed it and it is so by now: an earlier step brought it along (apt runs once for all packages, and a
    // package makes its own directory).
    if (is_announced(resource.id)) {
      changed_.push_back(resource.id);
      around_.executor.events.tell(event_of(Event::Type::kStepDone, resource.id, "changed"));
    }
    return {};
  }
  SENTINEL_CHECK(check_announced(step));
  SENTINEL_CHECK(around_.staging.check_before_acting(resource, step));
  merge_packages(step);
  return act(std::move(step), state);
}

Result<void> Acting::check_announced(const Step& step) const {
  const auto* irreversible = std::get_if<Irreversible>(&step.undo);
  if (irreversible == nullptr) return {};
  for (const auto& known : around_.announced.steps) {
    if (known.id == step.id && std::holds_alternative<Irreversible>(known.undo)) return {};
  }
  return Error("engine.unannounced",
               fmt::format("{} turned out to need work that can't be undone: {}", step.id, irreversible->why),
               "plan again: it will be shown as irreversible");
}

// One apt run for all packages of the plan that no change of a source separates: starting apt is what costs.
void Acting::merge_packages(Step& step) const {
  auto* install = installation_in(step.actions);
  if (install == nullptr) return;
  bool after = false;
  for (auto later : around_.announced.steps) {
    if (after && later.kind == kind_of(ResourceBody(AptSource{}))) return;
    const auto* more = after ? installation_in(later.actions) : nullptr;
    after = after || later.id == step.id;
    if (more == nullptr) continue;
    for (const auto& name : more->names) {
      if (std::find(install->names.begin(), install->names.end(), name) == install->names.end())
        install->names.push_back(name);
    }
  }
}

Result<void> Acting::arm_guard() {
  if (guard_armed_) return {};
  SENTINEL_CHECK(around_.writer.append(journal::GuardArmed{around_.begin.deadline_ns}));
  guard_armed_ = true;
  auto event = event_of(Event::Type::kGuardArmed, "", "");
  const auto now = static_cast<std::uint64_t>(around_.executor.clock.since_boot().count());
  event.deadline_ms = around_.begin.deadline_ns > now ? (around_.begin.deadline_ns - now) / 1'000'000 : 0;
  around_.executor.events.tell(std::move(event));
  return {};
}

Result<void> Acting::act(Step step, const nlohmann::json& state) {
  if (step.risk == Risk::kLockout) SENTINEL_CHECK(arm_guard());
  SENTINEL_TRY(auto undo, executor_.capture(step, state));
  journal::Intent intent{static_cast<std::uint32_t>(intents_.size()), step.id, std::move(undo), "", step.effects};
  if (const auto* irreversible = std::get_if<Irreversible>(&step.undo)) intent.irreversible = irreversible->why;
  // Counted before it is written: nobody knows how much of a failed append is on the disk.
  intents_.push_back(intent);
  changed_.push_back(step.id);
  SENTINEL_CHECK(around_.writer.append(intent));
  around_.executor.events.tell(event_of(Event::Type::kStepStarted, step.id, step.title));
  forget_ = true;
  ledger_.owe(step.effects);
  if (!step.id.starts_with(kRestorePrefix)) required_.insert(step.effects.begin(), step.effects.end());
  // systemd must know the unit files of today before a unit is touched.
  const bool units = std::any_of(step.actions.begin(), step.actions.end(), touches_units);
  if (units && ledger_.owes_daemon_reload()) SENTINEL_CHECK(pay_one({Effect::Kind::kDaemonReload, ""}));
  for (const auto& action : step.actions) {
    SENTINEL_CHECK(executor_.run(action));
    ledger_.note_action(action);
    if (OperatorAccess::is_forgotten_after(action)) around_.access.protect();
  }
  SENTINEL_CHECK(around_.writer.append(journal::Done{intent.step}));
  around_.executor.events.tell(event_of(Event::Type::kStepDone, step.id, "changed"));
  return {};
}

Result<void> Acting::pay_one(const Effect& effect) {
  around_.executor.events.tell(event_of(Event::Type::kEffect, "", to_string(effect)));
  const auto missing = required_.count(effect) > 0 ? MissingUnit::kIsAnError : MissingUnit::kIsFine;
  SENTINEL_CHECK(pay(effect, around_.executor.host.machine, around_.executor.clock, missing));
  ledger_.paid(effect);
  forget_ = true;
  if (OperatorAccess::is_forgotten_after(effect)) around_.access.protect();
  return around_.writer.append(journal::EffectPaid{effect});
}

Result<void> Acting::pay_effects() {
  for (const auto& effect : ledger_.owed()) {
    SENTINEL_CHECK(check_going_on());
    SENTINEL_CHECK(pay_one(effect));
  }
  around_.survey.forget();
  return {};
}

Result<bool> Acting::settle(const Plan& rest) {
  const auto needs_more = [](const Step& step) { return !step.actions.empty() || step.effects.empty(); };
  if (rest.steps.empty() || std::any_of(rest.steps.begin(), rest.steps.end(), needs_more)) return false;
  for (const auto& step : rest.steps) SENTINEL_CHECK(act(step, nlohmann::json()));
  SENTINEL_CHECK(pay_effects());
  return true;
}

}  // namespace sentinel
