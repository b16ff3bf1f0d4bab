// SPDX-License-Identifier: Apache-2.0
// One transaction, or one recovery, over any System: what the agent's process would build in main.
// And a furnished host to run it on.
#pragma once

#include <mutex>

#include "core/base/digest.h"
#include "core/engine/planner.h"
#include "core/engine/recover.h"
#include "core/engine/transaction.h"
#include "tests/unit/core/engine/fake_host.h"
#include "tests/unit/core/engine/support.h"

namespace sentinel {

struct Session {
  ManualClock clock;
  RecordingSink events;
  ScriptedControl control;
  std::optional<LockHolder> lock;  ///< of dpkg

  TransactionOutcome run(System& machine, const Request& request, const std::string& id = kTestTransaction,
                         const std::string& expected = "", SecretValues secrets = {}) {
    HostState host(machine);
    TransactionInput input;
    input.id = id;
    input.request = request;
    input.secrets = std::move(secrets);
    input.expected = expected;
    input.agent = "agent";
    input.operator_address = "203.0.113.9";
    Transaction transaction(
        {host, clock, events, control, [this](const std::string&) { return lock; },
         [this](const std::string&, const CommandLine& command, const std::string&) -> Result<CommandResult> {
           const std::lock_guard lock_of_lists(validating);
           validated.push_back(command.argv.front());
           return validator ? validator(command) : CommandResult{};
         }});
    return transaction.run(input);
  }

  Result<std::vector<Recovery>> recover(System& machine, bool files_only = false) {
    HostState host(machine);
    RecoverSurroundings around{host, clock,
                               [this, &machine](const std::string& id) -> std::unique_ptr<EventSink> {
                                 return std::make_unique<EventLog>(machine, clock, StateDirectory{}.events(id));
                               },
                               [this](const std::string&) { return lock; }};
    return files_only ? recover_files(around) : recover_now(around);
  }

  std::mutex validating;
  std::vector<std::string> validated;
  std::function<CommandResult(const CommandLine&)> validator;
};

/// Looks at everything a request names, as the agent would for a plan.
inline PlannedRequest look_at(FakeSystem& machine, const Request& request, SecretValues given = {}) {
  HostState host(machine);
  SecretView secrets(host.secrets, request.secrets, std::move(given));
  auto surroundings = host.surroundings(secrets, request.keep_open);
  if (!surroundings.ok()) std::abort();
  Survey survey(std::move(surroundings).value());
  auto planned = plan_request(request, host, secrets, survey);
  if (!planned.ok()) {
    FAIL(planned.error().message);
  }
  return std::move(planned).value();
}

inline std::string transaction_number(int number) {
  return sha256_hex(std::to_string(number)).substr(0, 32);
}

/// A host with the realistic request furnished, and a session for it; the host key is made, as planning does.
struct Furnished {
  FakeSystem machine;
  Request request;
  Session session;

  Furnished() {
    furnish(machine);
    request = realistic_request(machine);
    (void)look_at(machine, request);
    machine.clear_records();
  }
};

/// The outcome and every error, for a failing test to show.
inline std::string all_texts(const TransactionOutcome& outcome) {
  std::string out = outcome.outcome;
  for (const auto& error : outcome.errors) out += "; " + error.code + ": " + error.message;
  return out;
}

}  // namespace sentinel
