// SPDX-License-Identifier: Apache-2.0
#include "agent/application_log.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/release/compose_runtime.h"
#include "core/release/masked_log.h"
#include "core/release/registry.h"
#include "core/release/systemd_runtime.h"

namespace sentinel::agent {
namespace {

constexpr std::chrono::seconds kJournalctl{60};
constexpr std::string_view kCursor = "-- cursor: ";

}  // namespace

Result<std::vector<Release>> ApplicationLog::releases() {
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
  std::vector<Release> wanted{record->release};
  // One that a deploy is trying, too: it is booked before it is started, so none of its lines is missed.
  for (const auto& one : app->releases) {
    if (one.state == ReleaseState::kCandidate || one.state == ReleaseState::kServing) wanted.push_back(one.release);
  }
  return wanted;
}

Result<std::vector<std::string>> ApplicationLog::from_containers(const std::vector<Release>& releases, bool first) {
  for (const auto& release : releases) {
    SENTINEL_TRY(const auto ids, docker_.labelled(label_of(release), false));
    containers_.insert(ids.begin(), ids.end());
  }
  const auto most = first ? std::clamp(lines_, 1U, kMostLogLines) : kMostLogLines;
  std::vector<std::string> lines;
  for (const auto& container : containers_) {
    // One that is gone has no more to say.
    const auto fresh = docker_.timed_log(container, most, seen_[container]);
    if (fresh.empty()) continue;
    seen_[container] = fresh.back().substr(0, fresh.back().find(' '));
    lines.insert(lines.end(), fresh.begin(), fresh.end());
  }
  std::sort(lines.begin(), lines.end());
  const auto surplus = first && lines.size() > lines_ ? lines.size() - lines_ : 0;
  lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(surplus));
  return lines;
}

Result<std::vector<std::string>> ApplicationLog::from_journal(const std::vector<Release>& releases, bool first) {
  for (const auto& release : releases) units_.insert(unit_of(release));
  CommandLine command;
  command.timeout = kJournalctl;
  // --all: a message with control characters, too, which are made printable where it is shown.
  command.argv = {"journalctl", "--no-pager", "--quiet", "--all", "--show-cursor", "--output=short-iso"};
  // Where nothing is to be shown first, the last line still says where to go on.
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
  return lines;
}

Result<std::vector<std::string>> ApplicationLog::next() {
  SENTINEL_TRY(const auto wanted, releases());
  const bool first = std::exchange(first_, false);
  const bool containers = wanted.front().runtime == RuntimeKind::kCompose;
  SENTINEL_TRY(auto lines, containers ? from_containers(wanted, first) : from_journal(wanted, first));
  return masked(std::move(lines), host_);
}

}  // namespace sentinel::agent
