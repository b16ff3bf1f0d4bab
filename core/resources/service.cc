// SPDX-License-Identifier: Apache-2.0
// A unit that is missing now may come with a package of the same plan, so it counts as disabled and stopped, not as an
// error.
#include "core/resources/service.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "core/model/json_fields.h"
#include "core/resources/names.h"
#include "core/resources/units.h"

namespace sentinel {
namespace {

/// Units that stand between an operator and the host.
constexpr std::array<std::string_view, 13> kLockoutUnits{"ssh.service",
                                                         "ssh.socket",
                                                         "sshd.service",
                                                         "fail2ban.service",
                                                         "ufw.service",
                                                         "nftables.service",
                                                         "iptables.service",
                                                         "firewalld.service",
                                                         "netfilter-persistent.service",
                                                         "networking.service",
                                                         "systemd-networkd.service",
                                                         "NetworkManager.service",
                                                         "systemd-resolved.service"};

/// States that `systemctl enable` can't or needn't change.
bool counts_as_enabled(const std::string& state) {
  return state == "enabled" || state == "static" || state == "generated" || state == "alias";
}

bool counts_as_disabled(const std::string& state) {
  return state != "enabled" && state != "enabled-runtime";
}

/// Change times of a path: its own, and those of a directory's entries, because rewriting a file doesn't touch its
/// directory.
Result<void> newest_change(const std::string& path, Reader& machine, std::int64_t& newest, std::string& changed_path) {
  const auto consider = [&](const std::string& candidate) -> Result<FileType> {
    SENTINEL_TRY(const auto status, machine.status(candidate));
    if (status.type != FileType::kAbsent && status.changed_ns > newest) {
      newest = status.changed_ns;
      changed_path = candidate;
    }
    return status.type;
  };
  SENTINEL_TRY(const auto type, consider(path));
  if (type != FileType::kDirectory) return {};
  SENTINEL_TRY(const auto names, machine.list(path));
  for (const auto& name : names) {
    if (auto entry = consider(path + "/" + name); !entry.ok()) return std::move(entry).error();
  }
  return {};
}

Action systemctl(const char* verb, const std::string& unit, bool may_fail = false) {
  return RunCommand{{"systemctl", verb, unit}, 300, may_fail};
}

/// One thing to do and its opposite. Undo of a unit that wasn't there must also work when its file is gone again.
void add(Step& step, std::vector<Action>& undo, Change change, const char* verb, const char* opposite,
         const std::string& unit, bool found) {
  step.changes.push_back(std::move(change));
  step.actions.push_back(systemctl(verb, unit));
  undo.insert(undo.begin(), systemctl(opposite, unit, !found));
}

const char* running(bool active) {
  return active ? "running" : "stopped";
}

void plan_masking(const Service& want, const ServiceState& now, Step& step, std::vector<Action>& undo, bool wanted) {
  if (want.masked != wanted || now.masked == wanted) return;
  add(step, undo, {"masked", now.masked ? "yes" : "no", wanted ? "yes" : "no", false}, wanted ? "mask" : "unmask",
      wanted ? "unmask" : "mask", want.unit, now.found);
}

void plan_enabled(const Service& want, const ServiceState& now, Step& step, std::vector<Action>& undo) {
  if (!want.enabled) return;
  const std::string before = now.found ? now.enabled : "(no such unit)";
  if (*want.enabled && !counts_as_enabled(now.enabled)) {
    add(step, undo, {"at boot", before, "enabled", false}, "enable", "disable", want.unit, now.found);
  } else if (!*want.enabled && !counts_as_disabled(now.enabled)) {
    add(step, undo, {"at boot", before, "disabled", false}, "disable", "enable", want.unit, now.found);
  }
}

void plan_active(const Service& want, const ServiceState& now, Step& step, std::vector<Action>& undo) {
  if (!want.active || *want.active == now.active) return;
  // A unit that failed too often refuses to start until it is told to forget that.
  if (*want.active) step.actions.push_back(systemctl("reset-failed", want.unit, true));
  add(step, undo, {"now", running(now.active), running(*want.active), false}, *want.active ? "start" : "stop",
      *want.active ? "stop" : "start", want.unit, now.found);
}

void plan_staleness(const Service& want, const ServiceState& now, Step& step) {
  if (now.stale.unit_file) {
    step.changes.push_back({"unit file", "as systemd read it before", "as it is on disk", false});
    step.effects.push_back({Effect::Kind::kDaemonReload, ""});
  }
  if (!now.stale.changed_path.empty() && want.active.value_or(true)) {
    step.changes.push_back(
        {"running with", fmt::format("{} as it was before", now.stale.changed_path), "the file of today", false});
    step.effects.push_back({Effect::Kind::kReload, want.unit});
  }
}

}  // namespace

SENTINEL_JSON_FIELDS(Staleness, changed_path, unit_file)
SENTINEL_JSON_FIELDS(ServiceState, found, masked, enabled, active, stale)

Result<ServiceState> observe(const Service& want, Look& look) {
  if (!is_unit_name(want.unit))
    return Error("resource.bad-unit", fmt::format("'{}' is not the name of a unit", want.unit));
  SENTINEL_TRY(const auto unit, unit_status(look, want.unit));
  ServiceState out;
  out.found = unit.is_found();
  out.masked = unit.is_masked();
  out.enabled = unit.file_state;
  out.active = unit.is_active();
  out.stale.unit_file = out.found && unit.needs_daemon_reload;
  if (!out.active || unit.changed_ns == 0) return out;
  std::int64_t newest = unit.changed_ns;
  for (const auto& path : want.reads) {
    SENTINEL_CHECK(check_path(path));
    SENTINEL_CHECK(newest_change(path, look.machine(), newest, out.stale.changed_path));
  }
  return out;
}

Result<Step> plan(const Service& want, const ServiceState& now, Look&) {
  Step step;
  if (now.masked && want.masked != false && (want.enabled == true || (want.active == true && !now.active))) {
    return Error("service.masked", fmt::format("{} is masked, so it can be neither enabled nor started", want.unit),
                 "say `masked: false` for it");
  }
  std::vector<Action> undo;
  plan_masking(want, now, step, undo, false);
  const bool stop_first = want.active == false;
  if (stop_first) plan_active(want, now, step, undo);
  plan_enabled(want, now, step, undo);
  if (!stop_first) plan_active(want, now, step, undo);
  plan_masking(want, now, step, undo, true);
  plan_staleness(want, now, step);
  if (step.changes.empty()) return step;
  step.undo = std::move(undo);
  const bool lockout = std::find(kLockoutUnits.begin(), kLockoutUnits.end(), want.unit) != kLockoutUnits.end();
  step.risk = lockout ? Risk::kLockout : Risk::kService;
  return step;
}

std::optional<ResourceBody> restored(const Service& managed, const ServiceState& then) {
  Service back;
  back.unit = managed.unit;
  if (managed.enabled) back.enabled = then.found && !counts_as_disabled(then.enabled);
  if (managed.active) back.active = then.active;
  if (managed.masked) back.masked = then.masked;
  return back;
}

}  // namespace sentinel
