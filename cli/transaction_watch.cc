// SPDX-License-Identifier: Apache-2.0
// The transaction lives on the host and ends by its own rules; this only watches, so every failure here is a question
// of getting back in, never of the host's state.
#include "cli/transaction_watch.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <chrono>

namespace sentinel {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

// How long a lost host is looked for beyond the time it takes to revert by itself.
constexpr std::chrono::seconds kGrace{60};
constexpr milliseconds kFirstPause{500};
constexpr milliseconds kLongestPause{8'000};

bool is_connection_loss(const Error& error) {
  return error.code.rfind("ssh.", 0) == 0 || error.code.rfind("channel.", 0) == 0 || error.code == "wire.closed";
}

Error interrupted_error(const std::string& message, const std::string& hint) {
  return Error("run.interrupted", message, hint, ExitCode::kInterrupted);
}

// Waits; false when the operator gave up meanwhile (at `level`).
bool rest(Interruption& interruption, int level, milliseconds duration) {
  const Interruption::Watch watch(interruption, level);
  pollfd watched{watch.fd(), POLLIN, 0};
  return poll(&watched, 1, static_cast<int>(duration.count())) == 0;
}

}  // namespace

TransactionWatch::TransactionWatch(Access& access, const Host& host, std::vector<Door> ways, std::string transaction)
    : access_(access), host_(host), ways_(std::move(ways)), transaction_(std::move(transaction)) {}

HostRun TransactionWatch::begin(std::unique_ptr<HostConnection>& connection, const std::string& observed) {
  return follow(connection, observed);
}

HostRun TransactionWatch::attach(std::unique_ptr<HostConnection>& connection) {
  began_ = true;
  return follow(connection, std::nullopt);
}

HostRun TransactionWatch::follow(std::unique_ptr<HostConnection>& connection,
                                 const std::optional<std::string>& begin_observed) {
  std::uint64_t offset = 0;
  bool begin = begin_observed.has_value();
  for (;;) {
    connection->transaction_begins();
    agent_ = &connection->agent();
    if (!begin) running_ = connection->hello().transaction == transaction_;
    const auto see = [this](const Event& event) { return on_event(event); };
    const auto idle = [this] { on_idle(*agent_); };
    const auto result = begin ? agent_->begin({transaction_, *begin_observed}, see, idle)
                              : agent_->attach({transaction_, offset}, see, idle);
    if (result.ok()) return ending(*result);
    if (!is_connection_loss(result.error())) return lost(result.error());
    if (access_.context.interruption.level() >= 2) {
      return lost(interrupted_error(
          "left the host while its transaction was running",
          fmt::format("it finishes or reverts by itself; follow it: sentinelctl attach {}", host_.name)));
    }
    offset = agent_->offset();
    begin = false;
    access_.progress->stage(host_.name, "the connection was lost; connecting again", 0);
    auto again = reconnect();
    if (!again.ok()) return lost(std::move(again).error());
    connection = std::move(*again);
  }
}

bool TransactionWatch::on_event(const Event& event) {
  began_ = true;
  access_.progress->event(host_.name, event);
  on_idle(*agent_);
  if (event.type == Event::Type::kConfirmed) confirm_failure_.reset();
  if (event.type == Event::Type::kAwaitConfirm && running_ && !abort_sent_) confirm(event.deadline_ms);
  return true;
}

void TransactionWatch::on_idle(AgentClient& agent) {
  if (abort_sent_ || access_.context.interruption.level() < 1) return;
  abort_sent_ = true;
  access_.progress->stage(host_.name, "interrupted: asking the host to revert (again: leave it alone)", 0);
  static_cast<void>(agent.request_abort(transaction_));  // a broken connection is noticed by the next read
}

Result<void> TransactionWatch::confirm_once(std::chrono::milliseconds limit) {
  SENTINEL_TRY(const auto fresh, HostConnection::open(access_, host_, ways_, limit));
  SENTINEL_CHECK(fresh->agent().confirm(transaction_));
  confirmed_through_ = fresh->door();
  return {};
}

// A service that is just reloading refuses for a moment, so one failure is not the end; failed logins are counted by
// the host, so there are few attempts.
void TransactionWatch::confirm(std::uint64_t deadline_ms) {
  const auto deadline = SteadyClock::now() + milliseconds(deadline_ms);
  milliseconds pause = kFirstPause;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - SteadyClock::now());
    const auto confirmed = confirm_once(std::max(left, kFirstPause));
    if (confirmed.ok()) {
      confirm_failure_.reset();
      return;
    }
    if (confirmed.error().code == "confirm.unknown-transaction") return;  // it has ended meanwhile
    confirm_failure_ = confirmed.error();
    if (SteadyClock::now() + pause >= deadline) return;
    if (!rest(access_.context.interruption, 1, pause)) return;
    pause = std::min(pause * 2, kLongestPause);
  }
}

Result<std::unique_ptr<HostConnection>> TransactionWatch::reconnect() {
  const auto until = SteadyClock::now() + std::chrono::seconds(access_.context.options.confirm_timeout) + kGrace;
  milliseconds pause = kFirstPause;
  for (;;) {
    auto connection = HostConnection::open(access_, host_, doors_of(access_, host_));
    if (connection.ok()) return connection;
    if (SteadyClock::now() + pause >= until || !rest(access_.context.interruption, 2, pause)) {
      return std::move(connection)
          .error()
          .hinted(fmt::format("the host finishes or reverts by itself; look again: sentinelctl attach {}", host_.name));
    }
    pause = std::min(pause * 2, kLongestPause);
  }
}

HostRun TransactionWatch::ending(const Event& result) const {
  HostRun run;
  run.host = host_.name;
  run.transaction = transaction_;
  run.outcome = outcome_of(result.outcome);
  if (result.generation > 0 || run.succeeded()) run.generation = result.generation;
  run.changed = result.changed;
  run.errors = result.errors;
  run.release = result.release;
  run.log = result.log;
  if (run.succeeded() || run.outcome == Outcome::kStuck) return run;
  if (confirm_failure_) {
    run.errors.push_back(Error(*confirm_failure_)
                             .exits(ExitCode::kFailed)
                             .during("confirming over a new connection, the way you will come in next time"));
  }
  if (abort_sent_) run.errors.insert(run.errors.begin(), interrupted_error("reverted on request", ""));
  return run;
}

HostRun TransactionWatch::lost(Error error) const {
  HostRun run;
  run.host = host_.name;
  run.transaction = transaction_;
  run.outcome = error.exit == ExitCode::kStuck         ? Outcome::kStuck
                : error.exit == ExitCode::kUnreachable ? Outcome::kUnreachable
                                                       : Outcome::kFailed;
  if (!began_ && error.code == "attach.unknown") {
    error = Error("run.not-begun", "the connection was lost before the host began; nothing has changed",
                  "run the command again", ExitCode::kUnreachable);
    run.outcome = Outcome::kUnreachable;
  }
  run.errors.push_back(std::move(error));
  return run;
}

}  // namespace sentinel
