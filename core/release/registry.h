// SPDX-License-Identifier: Apache-2.0
// What the host remembers of its releases: /var/lib/sentinel/releases.json (docs/formats/releases.md), replaced as a
// whole. A release exists when it stands here; a directory that nothing here names is a leftover.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/engine/state_directory.h"
#include "core/model/release.h"

namespace sentinel {

class ReleaseRegistry {
 public:
  ReleaseRegistry(System& machine, StateDirectory directory);

  /// Every application; none when nothing was ever deployed. Error `release.registry` when the file can't be
  /// understood.
  Result<std::vector<AppReleases>> read();
  /// One application; an empty record when nothing of it was ever deployed.
  Result<AppReleases> read(const std::string& app);
  /// Replaces the record of this application. The lease must be held.
  Result<void> write(const AppReleases& app);

 private:
  System& machine_;
  std::string path_;
};

/// Ids that retention lets go, oldest first: all but the newest `keep`, and never the current one, the one a rollback
/// goes to, or one in `busy` (it still drains).
std::vector<std::string> releases_to_remove(const AppReleases& app, std::size_t keep,
                                            const std::set<std::string>& busy);

/// The id a rollback goes to: `wanted`, or without one the last confirmed release before the current one. Errors
/// `release.unknown`, `release.no-way-back`.
Result<std::string> rollback_target(const AppReleases& app, const std::string& wanted);

}  // namespace sentinel
