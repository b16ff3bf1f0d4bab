// SPDX-License-Identifier: Apache-2.0
// The very agent that began a transaction undoes it: journals of another version are left to that version's binary.
#include "agent/recover.h"

#include <unistd.h>

#include <fmt/format.h>

#include "agent/installation.h"
#include "agent/release_parts.h"
#include "core/base/clock.h"
#include "core/engine/journal.h"
#include "core/engine/lease.h"
#include "core/engine/recover.h"
#include "core/engine/room.h"
#include "core/system/local_system.h"

namespace sentinel::agent {
namespace {

// The transaction's own process may just be ending; anything else that holds the lease is at work itself.
constexpr std::chrono::seconds kLeasePatience{30};

// Becomes the binary that an open transaction names, when that is another one and it is still here.
Result<void> become_the_agent_of_the_journal(HostState& host, RecoveryScope scope) {
  SENTINEL_TRY(const auto open, journal::open_transactions(host.machine, host.directory));
  if (open.transactions.empty()) return {};
  SENTINEL_TRY(const auto summary, journal::load(host.machine, host.directory, open.transactions.front()));
  SENTINEL_TRY(const auto own, own_digest(host.machine));
  if (summary.begin.agent.empty() || summary.begin.agent == own) return {};
  std::string path = agent_path(summary.begin.agent);
  std::string name = "sentinel-agent";
  std::string verb = "recover";
  std::string files = "--files";
  char* const arguments[] = {name.data(), verb.data(), scope == RecoveryScope::kFilesOnly ? files.data() : nullptr, nullptr};
  ::execv(path.c_str(), arguments);
  return {};  // gone: this binary reads the same format or says that it can't
}

// What can be done without room on the disk is done once in a boot, not over and over: an undo may restart services. Then
// the room is waited for, by being begun again (units.h).
Result<std::vector<Recovery>> finish_what_is_open(const RecoverSurroundings& around) {
  auto& host = around.host;
  const auto waiting = host.directory.run + "/waiting-for-room";
  const auto open = [&] { return journal::open_transactions(host.machine, host.directory); };
  const Error no_room("engine.no-room", "the disk has no room to finish a transaction", "make room; it is finished by itself then");
  SENTINEL_TRY(auto left, open());
  SENTINEL_TRY(const auto waits, host.machine.status(waiting));
  if (!left.transactions.empty() && waits.type != FileType::kAbsent && !has_room(host)) return no_room;
  SENTINEL_CHECK(host.machine.remove_file(waiting));
  SENTINEL_TRY(auto done, recover_now(around));
  SENTINEL_TRY(left, open());
  if (left.transactions.empty()) return done;
  // With room by now, it may have come while there was none.
  if (has_room(host)) return recover_now(around);
  SENTINEL_CHECK(host.machine.replace_file(waiting, "", {0, 0, 0600}));
  return no_room;
}

Result<std::vector<Recovery>> run(RecoveryScope scope, LocalSystem& machine, SystemClock& clock) {
  HostState host(machine);
  SENTINEL_CHECK(become_the_agent_of_the_journal(host, scope));
  LeaseHolder holder{"sentinel-agent", "recovery", to_rfc3339(clock.now()), static_cast<int>(getpid()), ""};
  SENTINEL_TRY(const auto lease, Lease::acquire(host.directory.lease(), holder, clock, kLeasePatience));
  ReleaseParts parts(machine, clock);
  RecoverSurroundings around{host, clock,
                             [&](const std::string& transaction) -> std::unique_ptr<EventSink> {
                               return std::make_unique<EventLog>(machine, clock, host.directory.events(transaction));
                             },
                             probe_record_lock,
                             [&](journal::Writer& writer, const journal::Summary& summary, EventSink& events) {
                               const auto runtime = summary.begin.request.release->release.runtime;
                               return recover_rollout(parts.surroundings(host, events, runtime), writer, summary);
                             }};
  return scope == RecoveryScope::kFilesOnly ? recover_files(around) : finish_what_is_open(around);
}

}  // namespace

ExitCode recover(RecoveryScope scope) {
  LocalSystem machine;
  SystemClock clock;
  const auto recoveries = run(scope, machine, clock);
  if (!recoveries.ok()) {
    fmt::print(stderr, "sentinel-agent: {}\n", recoveries.error().message);
    return recoveries.error().exit;
  }
  ExitCode worst = ExitCode::kDone;
  for (const auto& recovery : *recoveries) {
    fmt::print("{} {}\n", recovery.transaction, recovery.outcome);
    for (const auto& error : recovery.errors) fmt::print(stderr, "sentinel-agent: {}\n", error.message);
    if (recovery.outcome == "stuck") worst = ExitCode::kStuck;
  }
  return worst;
}

}  // namespace sentinel::agent
