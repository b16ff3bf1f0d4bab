// SPDX-License-Identifier: Apache-2.0
// The words of outcomes, shared by events, JSON and text.
#include "core/report/host_report.h"

#include <algorithm>

#include "core/model/enum_names.h"

namespace sentinel {
namespace {

constexpr EnumNames<Outcome, 6> kOutcomeNames{{{Outcome::kUnchanged, "unchanged"},
                                               {Outcome::kChanged, "changed"},
                                               {Outcome::kReverted, "reverted"},
                                               {Outcome::kFailed, "failed"},
                                               {Outcome::kStuck, "stuck"},
                                               {Outcome::kUnreachable, "unreachable"}}};

}  // namespace

std::string to_string(Outcome outcome) { return name_of(kOutcomeNames, outcome); }

Error naming_host(Error error, const std::string& host) {
  const auto names_it = [&](const std::string& text) { return text.find(host) != std::string::npos; };
  if (!names_it(error.message) && std::none_of(error.context.begin(), error.context.end(), names_it)) {
    error.context.push_back("on host " + host);
  }
  return error;
}

Outcome outcome_of(const std::string& word) {
  for (const auto& [outcome, name] : kOutcomeNames) {
    if (name == word) return outcome;
  }
  return Outcome::kFailed;
}

}  // namespace sentinel
