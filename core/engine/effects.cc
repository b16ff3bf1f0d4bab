// SPDX-License-Identifier: Apache-2.0
#include "core/engine/effects.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/system/unit_properties.h"

namespace sentinel {
namespace {

// Exit status of systemctl when the unit it was asked about isn't there (systemctl(1), "Exit status", LSB 5).
constexpr int kNoSuchUnit = 5;
constexpr std::chrono::seconds kPatience{120};
constexpr std::chrono::seconds kUnquestioned{5};  // a reload that takes longer is looked at
constexpr std::chrono::milliseconds kLook{200};

const RunCommand* systemctl_command(const Action& action) {
  const auto* command = std::get_if<RunCommand>(&action);
  return command != nullptr && !command->argv.empty() && command->argv.front() == "systemctl" ? command : nullptr;
}

std::vector<std::string> command_of(const Effect& effect) {
  switch (effect.kind) {
    case Effect::Kind::kDaemonReload: return {"systemctl", "daemon-reload"};
    case Effect::Kind::kReload: return {"systemctl", "try-reload-or-restart", effect.unit};
    case Effect::Kind::kRestart: break;
  }
  return {"systemctl", "try-restart", effect.unit};
}

// The order to pay in: daemon-reload, restarts, reloads.
int rank(const Effect& effect) {
  switch (effect.kind) {
    case Effect::Kind::kDaemonReload: return 0;
    case Effect::Kind::kRestart: return 1;
    case Effect::Kind::kReload: break;
  }
  return 2;
}

// " (…)", where the service told systemd something: systemctl knows only that it failed.
std::string status_of(const std::string& unit, System& machine) {
  if (unit.empty()) return {};
  auto found = unit_properties(machine, unit, "StatusText");
  if (!found.ok() || (*found)["StatusText"].empty()) return {};
  return fmt::format(" ({})", (*found)["StatusText"]);
}

Error failure(const Effect& effect, const std::string& how, System& machine) {
  return Error("effect.failed", fmt::format("{} failed with {}{}", to_string(effect), how, status_of(effect.unit, machine)),
               effect.unit.empty() ? "" : fmt::format("on the host: journalctl -u {} -n 30", effect.unit));
}

// As the service itself would say it: systemd takes such words from its main process, and from root in its name.
void end_reload(const std::string& main_process, System& machine) {
  (void)machine.run({{"systemd-notify", "--pid=" + main_process, "--ready"},
                     {},
                     {{"NOTIFY_SOCKET", "/run/systemd/notify"}},
                     kUnquestioned,
                     {}});
}

// A service may tell systemd that it reloads, and nothing more when it can't (Caddy 2.6 with a configuration that it
// can't load). Nothing but the service's word ends that, and no other reload begins before.
Result<void> await_reload(const Effect& effect, System& machine, Clock& clock) {
  const auto deadline = clock.since_boot() + kPatience;
  while (true) {
    SENTINEL_TRY(auto unit,
                 unit_properties(machine, effect.unit, "ActiveState,Job,ControlPID,MainPID,Result,ReloadResult"));
    const auto is_none = [&](const char* name) { return unit[name].empty() || unit[name] == "0"; };
    const bool reloading = unit["ActiveState"] == "reloading";
    const bool succeeded = unit["ReloadResult"] == "success";
    if (!reloading && is_none("Job")) {
      // Restarted instead, it may have failed, or be about to be started once more.
      const bool settled = unit["ActiveState"] == "active" || unit["ActiveState"] == "inactive";
      if (!settled) return failure(effect, unit["Result"], machine);
      return succeeded ? Result<void>() : failure(effect, unit["ReloadResult"], machine);
    }
    const bool silent = reloading && is_none("ControlPID");
    const bool late = clock.since_boot() >= deadline;
    if (silent && (late || !succeeded)) {
      end_reload(unit["MainPID"], machine);
      return failure(effect, (succeeded ? "timeout" : unit["ReloadResult"]) + ": the service never said that it is over",
                     machine);
    }
    if (late) return failure(effect, "timeout", machine);
    clock.sleep(kLook);
  }
}

}  // namespace

void EffectLedger::owe(const std::vector<Effect>& effects) {
  owed_.insert(effects.begin(), effects.end());
}

void EffectLedger::note_action(const Action& action) {
  const auto* command = systemctl_command(action);
  if (command == nullptr || command->argv.size() < 3) return;
  const auto& verb = command->argv[1];
  const bool now = std::find(command->argv.begin(), command->argv.end(), "--now") != command->argv.end();
  if (verb != "start" && verb != "restart" && !(verb == "enable" && now)) return;
  const auto& unit = command->argv.back();
  owed_.erase({Effect::Kind::kReload, unit});
  owed_.erase({Effect::Kind::kRestart, unit});
}

bool EffectLedger::owes_daemon_reload() const {
  return owed_.count({Effect::Kind::kDaemonReload, ""}) > 0;
}

std::vector<Effect> EffectLedger::owed() const {
  std::vector<Effect> out;
  for (const auto& effect : owed_) {
    const bool restarted =
        effect.kind == Effect::Kind::kReload && owed_.count({Effect::Kind::kRestart, effect.unit}) > 0;
    if (!restarted) out.push_back(effect);
  }
  std::stable_sort(out.begin(), out.end(), [](const Effect& a, const Effect& b) { return rank(a) < rank(b); });
  return out;
}

void EffectLedger::paid(const Effect& effect) {
  owed_.erase(effect);
  if (effect.kind == Effect::Kind::kRestart) owed_.erase({Effect::Kind::kReload, effect.unit});
}

Result<void> pay(const Effect& effect, System& machine, Clock& clock, MissingUnit missing) {
  const bool reload = effect.kind == Effect::Kind::kReload;
  CommandLine command;
  command.argv = command_of(effect);
  command.timeout = reload ? kUnquestioned : kPatience;
  auto result = machine.run(command);
  if (!result.ok() && reload && result.error().code == "process.timeout") return await_reload(effect, machine, clock);
  if (!result.ok()) return std::move(result).error().during(to_string(effect));
  if (result->status == 0 || (result->status == kNoSuchUnit && missing == MissingUnit::kIsFine)) return {};
  return failure(effect, result->reason(), machine);
}

bool touches_units(const Action& action) {
  return systemctl_command(action) != nullptr;
}

}  // namespace sentinel
