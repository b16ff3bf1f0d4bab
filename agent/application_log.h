// SPDX-License-Identifier: Apache-2.0
// What an application logs, from the host's journal: of the release in force, and of those that are tried or come into
// force while it is read. Values of secrets are masked.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/engine/host_state.h"

namespace sentinel::agent {

class ApplicationLog {
 public:
  /// Begins with the last `lines` lines.
  ApplicationLog(HostState& host, std::string app, std::uint32_t lines)
      : host_(host), app_(std::move(app)), lines_(lines) {}

  /// What came since the last call, at most the last kMostLogLines. Errors: `logs.no-release`, `logs.runtime`,
  /// `logs.journal`.
  Result<std::vector<std::string>> next();

 private:
  Result<void> find_units();

  HostState& host_;
  std::string app_;
  std::uint32_t lines_;
  std::set<std::string> units_;
  bool first_ = true;
  std::string cursor_;  ///< of the last line read; empty: none was
};

inline constexpr std::uint32_t kMostLogLines = 10'000;

}  // namespace sentinel::agent
