// SPDX-License-Identifier: Apache-2.0
#include "core/release/watch_file.h"

#include <algorithm>

#include "core/base/file.h"
#include "core/model/watch.h"

namespace sentinel {
namespace {

constexpr std::chrono::seconds kSystemctl{60};

}  // namespace

Result<void> install_watch(System& machine, const Release& release) {
  const auto file = std::find_if(release.files.begin(), release.files.end(),
                                 [](const ReleaseFile& one) { return one.path == kReleaseWatch; });
  if (file == release.files.end()) return {};
  SENTINEL_TRY(const auto wanted, machine.read_file(ReleasePaths{release.app, release.id}.installed(*file)));
  const auto now = machine.read_file(kWatchSettings);
  if (now.ok() && *now == wanted) return {};
  const auto directory = parent_directory(kWatchSettings);
  SENTINEL_TRY(const auto known, machine.status(directory));
  if (known.type == FileType::kAbsent) SENTINEL_CHECK(machine.make_directory(directory, {0, 0, 0755}));
  SENTINEL_CHECK(machine.replace_file(kWatchSettings, wanted, {0, 0, 0644}));
  SENTINEL_TRY(const auto done,
               machine.run({{"systemctl", "restart", "--no-block", "sentinel-watch.service"}, {}, {}, kSystemctl, {}}));
  if (done.status != 0) return Error("release.watch", "the watch was not started again: " + done.reason());
  return {};
}

}  // namespace sentinel
