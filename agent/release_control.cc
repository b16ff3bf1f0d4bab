// SPDX-License-Identifier: Apache-2.0
// The link is the one thing that a switch of releases moves last, and its ctime is when.
#include "agent/release_control.h"

#include <fmt/format.h>

namespace sentinel::agent {

Result<std::optional<CurrentRelease>> HostReleaseControl::current() {
  const std::string link = fmt::format("/opt/{}/current", app_);
  SENTINEL_TRY(const auto status, machine_.status(link));
  if (status.type == FileType::kAbsent) return std::optional<CurrentRelease>();
  SENTINEL_TRY(const auto target, machine_.read_link(link));
  const auto since =
      std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds(status.changed_ns));
  return std::optional(
      CurrentRelease{target.substr(target.rfind('/') + 1), std::chrono::system_clock::time_point(since)});
}

Result<void> HostReleaseControl::roll_back() {
  CommandLine command;
  command.argv = {"systemctl", "start", "--no-block", fmt::format("sentinel-rollback@{}.service", app_)};
  command.timeout = std::chrono::seconds(20);
  SENTINEL_TRY(const auto started, machine_.run(command));
  if (started.status != 0) return Error("watch.rollback", "the rollback was not started: " + started.reason());
  return {};
}

}  // namespace sentinel::agent
