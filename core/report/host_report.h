// SPDX-License-Identifier: Apache-2.0
// What a command has to say about each host, as data. The renderers of this folder turn it into text and JSON, and
// exit_status.h into the exit code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/plan.h"

namespace sentinel {

/// The answer of `plan` for one host: a plan, or why there is none.
struct HostPlan {
  std::string host;
  std::optional<Plan> plan;
  Errors errors;  ///< empty when there is a plan

  bool failed() const { return !plan.has_value(); }
  bool has_changes() const { return plan && !plan->steps.empty(); }
};

enum class Outcome {
  kUnchanged,
  kChanged,
  kReverted,     ///< failed or given up, and the host is as it was before
  kFailed,       ///< failed before anything was changed
  kStuck,        ///< neither old nor new: needs a person
  kUnreachable,
};

std::string to_string(Outcome outcome);
/// Of an event's `outcome`; kFailed for a word we don't know.
Outcome outcome_of(const std::string& word);

/// How a transaction ended on one host.
struct HostRun {
  std::string host;
  Outcome outcome = Outcome::kUnchanged;
  std::optional<std::uint64_t> generation;  ///< of the host afterwards; missing when we don't know
  std::string transaction;                  ///< empty: none was begun
  std::uint64_t duration_ms = 0;
  std::vector<std::string> changed;  ///< ids of steps
  Errors errors;
  std::string release;           ///< in force afterwards; empty: none, or the run was not about releases
  std::vector<std::string> log;  ///< the last lines of a release that failed

  bool succeeded() const { return outcome == Outcome::kUnchanged || outcome == Outcome::kChanged; }
};

/// What `status` found on one host.
struct HostStatus {
  std::string host;
  bool reachable = false;
  std::optional<std::uint64_t> generation;
  std::optional<bool> healthy;  ///< missing: nothing is known about health
  std::optional<bool> drift;    ///< missing: not looked at
  nlohmann::json last_transaction;  ///< null, or a record as the agent reports it
  Errors errors;
  std::string release;  ///< of the project's application, in force; empty: none
};

/// The error with the host named, where nothing in it names the host yet.
Error naming_host(Error error, const std::string& host);

/// What went wrong on any of the hosts, for the diagnostics at the end.
template <typename Report>
Errors errors_of(const std::vector<Report>& hosts) {
  Errors errors;
  for (const auto& report : hosts) {
    for (const Error& error : report.errors) errors.push_back(naming_host(error, report.host));
  }
  return errors;
}

}  // namespace sentinel
