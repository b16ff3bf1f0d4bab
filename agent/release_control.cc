// SPDX-License-Identifier: Apache-2.0
// The link is the one thing that a switch of releases moves last, and its ctime is when.
#include "agent/release_control.h"

#include <fmt/format.h>

#include "core/engine/lease.h"
#include "core/engine/state_directory.h"
#include "core/release/registry.h"
#include "core/system/unit_properties.h"

namespace sentinel::agent {
namespace {

constexpr std::chrono::seconds kSystemctl{60};

}  // namespace

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

std::string HostReleaseControl::unit() const {
  return fmt::format("sentinel-rollback@{}.service", app_);
}

Result<Activity> HostReleaseControl::activity(const std::string& release) {
  SENTINEL_TRY(const auto known, ReleaseRegistry(machine_, StateDirectory{}).read(app_));
  Release asked;
  asked.app = app_;
  asked.id = release;
  return parts_.runtime(known.runtime).activity(asked);
}

Result<bool> HostReleaseControl::busy() {
  SENTINEL_TRY(const auto holder, Lease::holder(StateDirectory{}.lease()));
  return holder.has_value();
}

Result<void> HostReleaseControl::roll_back() {
  SENTINEL_TRY(const auto started,
               machine_.run({{"systemctl", "start", "--no-block", unit()}, {}, {}, kSystemctl, {}}));
  if (started.status != 0) return Error("watch.rollback", "the rollback was not started: " + started.reason());
  return {};
}

Result<std::string> HostReleaseControl::ended() {
  SENTINEL_TRY(auto known, unit_properties(machine_, unit(), "ActiveState,Result,ExecMainStatus,Job"));
  const auto& state = known["ActiveState"];
  const bool queued = !known["Job"].empty() && known["Job"] != "0";
  if (queued || (state != "inactive" && state != "failed")) return std::string();
  return fmt::format("{}, status {}", known["Result"], known["ExecMainStatus"]);
}

}  // namespace sentinel::agent
