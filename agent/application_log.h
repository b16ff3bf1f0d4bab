// SPDX-License-Identifier: Apache-2.0
// What an application logs, from the host's journal or from its containers: of the release in force, and of those that
// are tried or come into force while it is read. Values of secrets are masked.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/engine/host_state.h"
#include "core/model/release.h"
#include "core/release/docker.h"

namespace sentinel::agent {

class ApplicationLog {
 public:
  /// Begins with the last `lines` lines.
  ApplicationLog(HostState& host, Clock& clock, std::string app, std::uint32_t lines)
      : host_(host), docker_(host.machine, clock, local_engine()), app_(std::move(app)), lines_(lines) {}

  /// What came since the last call, at most the last kMostLogLines of each release. Errors: `logs.no-release`,
  /// `logs.journal`, `release.docker`.
  Result<std::vector<std::string>> next();

 private:
  /// Those whose lines are wanted, the one in force first.
  Result<std::vector<Release>> releases();
  Result<std::vector<std::string>> from_journal(const std::vector<Release>& releases, bool first);
  Result<std::vector<std::string>> from_containers(const std::vector<Release>& releases, bool first);

  HostState& host_;
  Docker docker_;
  std::string app_;
  std::uint32_t lines_;
  std::set<std::string> units_;
  bool first_ = true;
  std::string cursor_;                       ///< of the last line of the journal read; empty: none was
  std::set<std::string> containers_;         ///< ids of those that were seen
  std::map<std::string, std::string> seen_;  ///< container's id → time of its last line read
};

inline constexpr std::uint32_t kMostLogLines = 10'000;

}  // namespace sentinel::agent
