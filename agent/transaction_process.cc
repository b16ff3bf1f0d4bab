// SPDX-License-Identifier: Apache-2.0
// The order matters: the socket listens before systemd hears READY, the owner's hand-over is whole before the lease is
// taken, contents are in the blob store before the engine looks for them.
#include "agent/transaction_process.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "agent/control_server.h"
#include "agent/installation.h"
#include "agent/release_parts.h"
#include "core/base/clock.h"
#include "core/base/service_manager.h"
#include "core/engine/journal.h"
#include "core/engine/lease.h"
#include "core/engine/transaction.h"
#include "core/system/future_tree.h"
#include "core/system/local_system.h"

namespace sentinel::agent {
namespace {

constexpr std::chrono::seconds kHandoverTimeout{30};

// Ending by SIGTERM counts as a clean end for systemd, which then would not start the recovery; so end with a status.
// At shutdown the recovery at the next boot takes over: reverting now would wait for jobs that can't run any more.
void end_unfinished() {
  _exit(75);
}

extern "C" void end_by_signal(int) {
  end_unfinished();
}

Result<TransactionOutcome> run(const std::string& id, ControlServer& control, HostState& host, LocalSystem& machine,
                               SystemClock& clock, Event& last_event) {
  SENTINEL_TRY(auto received, control.receive_handover(kHandoverTimeout));
  // Whatever is under way then, a validator or the wait for the lease: nothing has been changed, and nobody waits for
  // it.
  control.serve(end_unfinished);
  LeaseHolder holder{received.request.operator_name, received.request.purpose, to_rfc3339(clock.now()),
                     static_cast<int>(getpid()), id};
  SENTINEL_CHECK(host.directory.prepare(machine));
  const std::chrono::seconds patience(received.request.lease_wait_seconds);
  SENTINEL_TRY(const auto lease, Lease::acquire(host.directory.lease(), holder, clock, patience));
  for (const auto& content : received.contents) {
    SENTINEL_TRY(const auto name, host.blobs.put(content.bytes));
    if (name != content.reference.digest) return Error("wire.content-digest", "a content changed on its way");
  }
  SENTINEL_TRY(const auto digest, own_digest(machine));
  EventLog events(machine, clock, host.directory.events(id), [&](const Event& event) {
    if (event.type == Event::Type::kStepStarted) control.mark_activated();
    last_event = event;
  });
  TransactionInput input;
  input.id = id;
  input.request = std::move(received.request);
  input.secrets = std::move(received.secrets);
  input.expected = received.handover.begin.observed;
  input.agent = digest;
  input.operator_address = received.handover.operator_address;
  input.ports_in_use = received.handover.ports_in_use;
  if (input.request.release) {
    ReleaseParts parts(machine, clock);
    const auto runtime = input.request.release->release.runtime;
    return Rollout(parts.surroundings(host, events, runtime), control).run(input);
  }
  Transaction transaction({host, clock, events, control, probe_record_lock, run_in_future_tree});
  return transaction.run(input);
}

}  // namespace

ExitCode run_transaction_process(const std::string& transaction) {
  struct sigaction action {};

  action.sa_handler = end_by_signal;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaction(signal, &action, nullptr);
  LocalSystem machine;
  SystemClock clock;
  auto control = ControlServer::open(transaction, machine, clock);
  if (!control.ok()) {
    fmt::print(stderr, "{}\n", control.error().message);
    return ExitCode::kFailed;
  }
  notify_service_manager("READY=1");
  const WatchdogThread watchdog;
  HostState host(machine);
  Event last_event;
  const auto outcome = run(transaction, **control, host, machine, clock, last_event);
  (*control)->finish(outcome.ok() ? encode_message(FrameType::kEnd, last_event)
                                  : encode_message(FrameType::kFailed, outcome.error()));
  // What could not be written down to its end is a failure to systemd, which starts the recovery.
  const auto log = host.machine.read_file(host.directory.log(transaction));
  return log.ok() && !journal::is_closed(*log) ? ExitCode::kFailed : ExitCode::kDone;
}

}  // namespace sentinel::agent
