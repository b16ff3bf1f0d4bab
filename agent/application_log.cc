// SPDX-License-Identifier: Apache-2.0
#include "agent/application_log.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/release/masked_log.h"
#include "core/release/registry.h"
#include "core/release/systemd_runtime.h"

namespace sentinel::agent {
namespace {

constexpr std::chrono::seconds kJournalctl{60};
constexpr std::string_view kCursor = "-- cursor: ";

}  // namespace

Result<void> ApplicationLog::find_units() {
  SENTINEL_TRY(const auto apps, ReleaseRegistry(host_.machine, host_.directory).read());
  const auto app = std::find_if(apps.begin(), apps.end(), [&](const AppReleases& one) { return one.app == app_; });
  const auto* record = app == apps.end() ? nullptr : app->find(app->current);
  if (record == nullptr) {
    std::vector<std::string> names;
    for (const auto& one : apps) names.push_back(one.app);
    return Error("logs.no-release", fmt::format("no release of {} is in force on this host", app_),
                 names.empty() ? std::string() : fmt::format("it has releases of: {}", fmt::join(names, ", ")),
                 ExitCode::kUsage);
  }
  if (record->release.runtime != RuntimeKind::kSystemd) {
    return Error("logs.runtime", fmt::format("release {} does not run under systemd", app->current),
                 "on the host: docker logs", ExitCode::kUsage);
  }
  units_.insert(unit_of(record->release));
  // One that a deploy is trying, too: it is booked before it is started, so none of its lines is missed.
  for (const auto& one : app->releases) {
    if (one.state == ReleaseState::kCandidate || one.state == ReleaseState::kServing)
      units_.insert(unit_of(one.release));
  }
  return {};
}

Result<std::vector<std::string>> ApplicationLog::next() {
  SENTINEL_CHECK(find_units());
  CommandLine command;
  command.timeout = kJournalctl;
  // --all: a message with control characters, too, which are made printable where it is shown.
  command.argv = {"journalctl", "--no-pager", "--quiet", "--all", "--show-cursor", "--output=short-iso"};
  // Where nothing is to be shown first, the last line still says where to go on.
  const bool first = std::exchange(first_, false);
  command.argv.push_back(fmt::format("--lines={}", first ? std::clamp(lines_, 1U, kMostLogLines) : kMostLogLines));
  if (!cursor_.empty()) command.argv.push_back("--after-cursor=" + cursor_);
  for (const auto& unit : units_) command.argv.push_back("--unit=" + unit);
  SENTINEL_TRY(const auto shown, host_.machine.query(command));
  if (shown.status != 0) return Error("logs.journal", "journalctl failed: " + shown.reason());
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < shown.output.size();) {
    const auto end = std::min(shown.output.find('\n', begin), shown.output.size());
    auto line = shown.output.substr(begin, end - begin);
    begin = end + 1;
    if (line.starts_with(kCursor)) {
      cursor_ = line.substr(kCursor.size());
    } else if (!first || lines_ > 0) {
      lines.push_back(std::move(line));
    }
  }
  return masked(std::move(lines), host_);
}

}  // namespace sentinel::agent
