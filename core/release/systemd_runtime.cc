// SPDX-License-Identifier: Apache-2.0
#include "core/release/systemd_runtime.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "core/base/file.h"
#include "core/system/unit_properties.h"

namespace sentinel {
namespace {

constexpr const char* kUnits = "/etc/systemd/system/";
constexpr const char* kServices = "multi-user.target";
constexpr const char* kSockets = "sockets.target";
constexpr std::chrono::seconds kSystemctl{60};
constexpr std::chrono::seconds kEndOfCandidate{5};
constexpr std::chrono::seconds kBeginOfFormer{60};
constexpr std::chrono::milliseconds kLook{20};
// systemd's own time to end a service is the drain budget and this (packaging/proxy/release.service.j2).
constexpr std::chrono::seconds kStopMargin{15};

constexpr const char* kCandidate =
    "# A release that has not proved itself: it accepts when it is told to, and is not started again.\n"
    "[Service]\nEnvironment=SENTINEL_ACCEPT_ON_COMMAND=true\nRestart=no\n";

std::string socket_of(const Release& release) {
  return release.app + ".socket";
}

std::string candidate_drop_in(const Release& release) {
  return kUnits + unit_of(release) + ".d/candidate.conf";
}

std::string socket_drop_in(const Release& release) {
  return kUnits + socket_of(release) + ".d/release.conf";
}

// The ports alone: which release a socket unit starts first is in it too, and a drop-in's matter.
std::string without_service(const std::string& text) {
  std::string out;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = text.substr(begin, end - begin);
    if (!line.starts_with("Service=")) out += line + "\n";
    begin = end + 1;
  }
  return out;
}

}  // namespace

std::string unit_of(const Release& release) {
  return fmt::format("{}-{}.service", release.app, release.id);
}

struct SystemdRuntime::UnitState {
  std::string active;   ///< active, activating, deactivating, inactive, failed
  std::string result;   ///< success, exit-code, signal, timeout, protocol ...
  std::string status;   ///< of the main process
  bool queued = false;  ///< a job for it waits or runs
  std::uint32_t restarts = 0;
  std::string invocation;
  std::int64_t started_us = 0;  ///< the main process, since boot; 0: never

  static constexpr const char* kNames =
      "ActiveState,Result,ExecMainStatus,NRestarts,Job,InvocationID,ExecMainStartTimestampMonotonic";

  explicit UnitState(UnitProperties found)
      : active(found["ActiveState"]), result(found["Result"]), status(found["ExecMainStatus"]), invocation(found["InvocationID"]) {
    queued = !found["Job"].empty() && found["Job"] != "0";
    read(found["NRestarts"], restarts);
    read(found["ExecMainStartTimestampMonotonic"], started_us);
  }

  template <typename Number>
  static void read(const std::string& text, Number& into) {
    std::from_chars(text.data(), text.data() + text.size(), into);
  }

  bool ended() const { return !queued && (active == "inactive" || active == "failed"); }
};

Result<void> SystemdRuntime::systemctl(std::vector<std::string> arguments) {
  const auto doing = fmt::format("systemctl {}", fmt::join(arguments, " "));
  arguments.insert(arguments.begin(), "systemctl");
  SENTINEL_TRY(const auto done, machine_.run({std::move(arguments), {}, {}, kSystemctl, {}}));
  if (done.status != 0) return Error("release.systemd", doing + " failed: " + done.reason());
  return {};
}

Result<SystemdRuntime::UnitState> SystemdRuntime::look(const std::string& unit) {
  SENTINEL_TRY(auto found, unit_properties(machine_, unit, UnitState::kNames));
  return UnitState(std::move(found));
}

Result<bool> SystemdRuntime::ensure_file(const std::string& path, const std::string& text) {
  const auto now = machine_.read_file(path);
  if (now.ok() && *now == text) return false;
  SENTINEL_CHECK(machine_.make_directory(parent_directory(path), {0, 0, 0755}));
  SENTINEL_CHECK(machine_.replace_file(path, text, {0, 0, 0644}));
  return true;
}

Result<void> SystemdRuntime::ensure_link(const std::string& target_unit, const std::string& unit) {
  const auto directory = kUnits + target_unit + ".wants";
  SENTINEL_CHECK(machine_.make_directory(directory, {0, 0, 0755}));
  return machine_.make_link(directory + "/" + unit, kUnits + unit);
}

Result<void> SystemdRuntime::remove_link(const std::string& target_unit, const std::string& unit) {
  return machine_.remove_file(kUnits + target_unit + ".wants/" + unit);
}

Result<void> SystemdRuntime::check(const Release& next) {
  const auto installed = machine_.read_file(kUnits + socket_of(next));
  if (!installed.ok() && installed.error().code == "system.ENOENT") return {};
  if (!installed.ok()) return installed.error();
  const ReleasePaths paths{next.app, next.id};
  SENTINEL_TRY(const auto wanted, machine_.read_file(paths.directory() + "/" + kReleaseSocket));
  if (without_service(*installed) == without_service(wanted)) return {};
  return Error(
      "release.ports-changed", fmt::format("{} holds other ports than release {} wants", socket_of(next), next.id),
      fmt::format("its ports stay open while releases come and go; to move them: systemctl stop {0}, remove {1}{0}, "
                  "deploy again",
                  socket_of(next), kUnits));
}

Result<void> SystemdRuntime::prepare(const Release& next) {
  const ReleasePaths paths{next.app, next.id};
  SENTINEL_TRY(const auto unit, machine_.read_file(paths.directory() + "/" + kReleaseUnit));
  SENTINEL_TRY(const auto ports, machine_.status(kUnits + socket_of(next)));
  if (ports.type == FileType::kAbsent) {
    SENTINEL_TRY(const auto text, machine_.read_file(paths.directory() + "/" + kReleaseSocket));
    SENTINEL_CHECK(ensure_file(kUnits + socket_of(next), text));
  }
  SENTINEL_CHECK(ensure_file(candidate_drop_in(next), kCandidate));
  SENTINEL_CHECK(ensure_file(kUnits + unit_of(next), unit));
  return systemctl({"daemon-reload"});
}

Result<void> SystemdRuntime::start_candidate(const Release& next) {
  return systemctl({"start", "--no-block", unit_of(next)});
}

Result<Activity> SystemdRuntime::activity(const Release& release) {
  SENTINEL_TRY(const auto state, look(unit_of(release)));
  Activity activity;
  activity.restarts = state.restarts;
  activity.run = state.invocation;
  if (state.started_us > 0) {
    const auto age = clock_.since_boot() - std::chrono::microseconds(state.started_us);
    activity.age = std::chrono::duration_cast<std::chrono::milliseconds>(age);
  }
  activity.running = state.active == "active" || state.active == "reloading";
  if (state.ended()) {
    activity.ended = state.result == "success" ? "it ended by itself"
                                               : fmt::format("it ended: {}, status {}", state.result, state.status);
  }
  return activity;
}

ReleaseEndpoint SystemdRuntime::endpoint(const Release& release) const {
  return {fmt::format("/run/{}-app/{}/admin.sock", release.app, release.id)};
}

Result<void> SystemdRuntime::tell(const Release& release, const std::string& command, const std::string& state) {
  return tell_release(admin_, endpoint(release).socket, release.id, command, state);
}

Result<void> SystemdRuntime::switch_to(const Release& next, const std::optional<Release>& former) {
  // Both accept for a moment: nobody is refused.
  if (auto told = tell(next, "accept", "accepting"); !told.ok()) return not_taken(next, told.error());
  if (!former) return {};
  SENTINEL_TRY(const auto state, look(unit_of(*former)));
  if (state.ended()) return {};
  SENTINEL_TRY(const auto held, hold_release(admin_, endpoint(*former).socket, former->id));
  switch (held) {
    case Held::kHolds: break;
    case Held::kHangs: return end_at_once(*former);
    // Started again it would accept beside the next one, for it is what a crash starts.
    case Held::kGone: return systemctl({"stop", "--no-block", unit_of(*former)});
  }
  return {};
}

// A release that doesn't take the traffic has failed, as one that a probe finds ill.
Error SystemdRuntime::not_taken(const Release& next, const Error& why) {
  const auto now = activity(next);
  const bool ended = now.ok() && !now->ended.empty();
  return unhealthy_release(
      fmt::format("release {} does not take the traffic: {}", next.id, ended ? now->ended : why.message));
}

Result<void> SystemdRuntime::end_at_once(const Release& hanging) {
  // It would go on taking connections, and answer none. While a stop is under way nothing starts it again.
  SENTINEL_CHECK(systemctl({"stop", "--no-block", unit_of(hanging)}));
  return kill(hanging);
}

// A unit that ended meanwhile may be known no more: a process that was only stopped goes on to its end by a stop.
Result<void> SystemdRuntime::kill(const Release& release) {
  auto killed = systemctl({"kill", "--signal=KILL", unit_of(release)});
  if (killed.ok()) return {};
  SENTINEL_TRY(const auto state, look(unit_of(release)));
  return state.ended() ? Result<void>() : killed;
}

Result<void> SystemdRuntime::serve_again(const Release& former) {
  SENTINEL_TRY(const auto state, look(unit_of(former)));
  if (!state.ended() && state.active != "deactivating") {
    if (auto told = tell(former, "accept", "accepting"); told.ok()) return told;
  }
  // It ended, is ending, or does not answer: a start waits for an end that is under way.
  if (!state.ended() && state.active != "deactivating")
    SENTINEL_CHECK(kill(former));
  SENTINEL_CHECK(systemctl({"start", "--no-block", unit_of(former)}));
  const auto deadline = clock_.since_boot() + kBeginOfFormer;
  while (true) {
    SENTINEL_TRY(const auto now, look(unit_of(former)));
    if (now.active == "active" && !now.queued) return {};
    if (now.ended() || clock_.since_boot() >= deadline) {
      return Error("release.former", fmt::format("{} does not start again: {}", unit_of(former), now.result));
    }
    clock_.sleep(kLook);
  }
}

Result<bool> SystemdRuntime::wait_for_end(const Release& release, std::chrono::seconds patience) {
  const auto deadline = clock_.since_boot() + patience;
  while (true) {
    SENTINEL_TRY(const auto state, look(unit_of(release)));
    if (state.ended()) return true;
    if (clock_.since_boot() >= deadline) return false;
    clock_.sleep(kLook);
  }
}

Result<void> SystemdRuntime::remove_application(const Release& next) {
  SENTINEL_CHECK(systemctl({"stop", "--no-block", socket_of(next), unit_of(next)}));
  SENTINEL_CHECK(remove_link(kSockets, socket_of(next)));
  SENTINEL_CHECK(machine_.remove_file(socket_drop_in(next)));
  SENTINEL_CHECK(machine_.remove_directory(parent_directory(socket_drop_in(next))));
  return machine_.remove_file(kUnits + socket_of(next));
}

Result<void> SystemdRuntime::back(const Release& next, const std::optional<Release>& former) {
  SENTINEL_TRY(const auto known, machine_.status(kUnits + unit_of(next)));
  if (former) SENTINEL_CHECK(serve_again(*former));
  if (known.type == FileType::kAbsent) return {};
  if (!former) SENTINEL_CHECK(remove_application(next));
  if (former) {
    const auto held = hold_release(admin_, endpoint(next).socket, next.id);
    const bool hangs = held.ok() && *held == Held::kHangs;
    SENTINEL_CHECK(hangs ? end_at_once(next) : systemctl({"stop", "--no-block", unit_of(next)}));
  }
  // One that had the traffic ends its streams in its own time, and is forgotten by a later run.
  SENTINEL_TRY(const bool ended, wait_for_end(next, kEndOfCandidate));
  SENTINEL_CHECK(ended ? forget(next) : remove_link(kServices, unit_of(next)));
  return former ? Result<void>() : systemctl({"daemon-reload"});
}

Result<void> SystemdRuntime::promote(const Release& next, const std::optional<Release>& former) {
  SENTINEL_CHECK(ensure_file(socket_drop_in(next), fmt::format("[Socket]\nService={}\n", unit_of(next))));
  SENTINEL_CHECK(machine_.remove_file(candidate_drop_in(next)));
  SENTINEL_CHECK(machine_.remove_directory(parent_directory(candidate_drop_in(next))));
  SENTINEL_CHECK(ensure_link(kSockets, socket_of(next)));
  SENTINEL_CHECK(ensure_link(kServices, unit_of(next)));
  if (former) SENTINEL_CHECK(remove_link(kServices, unit_of(*former)));
  return systemctl({"daemon-reload"});
}

Result<void> SystemdRuntime::drain(const Release& release, bool wait) {
  SENTINEL_TRY(const auto state, look(unit_of(release)));
  if (state.ended()) return {};
  SENTINEL_CHECK(systemctl({"stop", "--no-block", unit_of(release)}));
  if (!wait) return {};
  SENTINEL_TRY(const bool ended,
               wait_for_end(release, std::chrono::seconds(release.policy.drain_seconds) + 2 * kStopMargin));
  if (!ended) return Error("release.drain", fmt::format("{} has not ended yet", unit_of(release)));
  return {};
}

Result<bool> SystemdRuntime::must_end_first(const Release& next) {
  SENTINEL_TRY(const auto state, look(unit_of(next)));
  return !state.ended();
}

// One question to the service manager for all that have a unit; its file goes last when a release is forgotten.
Result<std::map<std::string, Remains>> SystemdRuntime::remains(const std::vector<Release>& releases) {
  std::vector<std::string> ids;
  std::vector<std::string> units;
  for (const auto& release : releases) {
    SENTINEL_TRY(const auto file, machine_.status(kUnits + unit_of(release)));
    if (file.type == FileType::kAbsent) continue;
    ids.push_back(release.id);
    units.push_back(unit_of(release));
  }
  SENTINEL_TRY(const auto states, units_properties(machine_, units, UnitState::kNames));
  std::map<std::string, Remains> out;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    out[ids[i]] = UnitState(states[i]).ended() ? Remains::kLeftovers : Remains::kRuns;
  }
  return out;
}

Result<void> SystemdRuntime::forget(const Release& release) {
  SENTINEL_CHECK(remove_link(kServices, unit_of(release)));
  SENTINEL_CHECK(machine_.remove_file(candidate_drop_in(release)));
  SENTINEL_CHECK(machine_.remove_directory(parent_directory(candidate_drop_in(release))));
  SENTINEL_TRY(const auto unit, machine_.status(kUnits + unit_of(release)));
  if (unit.type == FileType::kAbsent) return {};
  SENTINEL_CHECK(machine_.remove_file(kUnits + unit_of(release)));
  // Without a reload, which is dear: the service manager lets go of a unit that nothing needs, and the next release
  // brings one. But what failed stays on its list of failures, and the host would be degraded by a release that is gone.
  SENTINEL_CHECK(machine_.run({{"systemctl", "reset-failed", unit_of(release)}, {}, {}, kSystemctl, {}}));
  return {};
}

std::vector<std::string> SystemdRuntime::log(const Release& release, std::size_t lines) {
  std::vector<std::string> out;
  const auto shown = machine_.query({{"journalctl", "--unit", unit_of(release), "--lines", std::to_string(lines),
                                      "--output", "cat", "--no-pager", "--quiet"},
                                     {},
                                     {},
                                     kSystemctl,
                                     {}});
  if (!shown.ok() || shown->status != 0) return out;
  std::size_t begin = 0;
  while (begin < shown->output.size()) {
    const auto end = std::min(shown->output.find('\n', begin), shown->output.size());
    out.push_back(shown->output.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

}  // namespace sentinel
