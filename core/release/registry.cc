// SPDX-License-Identifier: Apache-2.0
#include "core/release/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/model/json.h"

namespace sentinel {
namespace {

constexpr int kVersion = 1;

}  // namespace

ReleaseRegistry::ReleaseRegistry(System& machine, StateDirectory directory)
    : machine_(machine), path_(directory.root + "/releases.json") {}

Result<std::vector<AppReleases>> ReleaseRegistry::read() {
  const auto bytes = machine_.read_file(path_);
  if (!bytes.ok() && bytes.error().code == "system.ENOENT") return std::vector<AppReleases>();
  if (!bytes.ok()) return bytes.error();
  const auto unreadable = [&](const std::string& why) {
    return Error("release.registry", fmt::format("{} can't be understood: {}", path_, why),
                 "it is never repaired by guessing; the releases themselves are in /opt");
  };
  const auto json = parse_json(*bytes);
  if (!json.ok()) return unreadable(json.error().message);
  if (!json->is_object() || !json->contains("apps")) return unreadable("it holds no list of applications");
  if (json->value("schema_version", 0) != kVersion) return unreadable("it is of another version");
  auto apps = decode<std::vector<AppReleases>>(json->at("apps"));
  if (!apps.ok()) return unreadable(apps.error().message);
  return apps;
}

Result<AppReleases> ReleaseRegistry::read(const std::string& app) {
  SENTINEL_TRY(const auto apps, read());
  const auto found = std::find_if(apps.begin(), apps.end(), [&](const AppReleases& one) { return one.app == app; });
  if (found != apps.end()) return *found;
  AppReleases empty;
  empty.app = app;
  return empty;
}

Result<void> ReleaseRegistry::write(const AppReleases& app) {
  SENTINEL_TRY(auto apps, read());
  const auto found = std::find_if(apps.begin(), apps.end(), [&](const AppReleases& one) { return one.app == app.app; });
  if (found != apps.end()) {
    *found = app;
  } else {
    apps.push_back(app);
  }
  const nlohmann::json json{{"schema_version", kVersion}, {"apps", apps}};
  return machine_.replace_file(path_, to_text(json) + "\n", {0, 0, 0600});
}

std::vector<std::string> releases_to_remove(const AppReleases& app, std::size_t keep,
                                            const std::set<std::string>& busy) {
  std::vector<std::string> out;
  if (app.releases.size() <= keep) return out;
  std::size_t surplus = app.releases.size() - keep;
  for (const auto& record : app.releases) {
    if (surplus == 0) break;
    const auto& id = record.release.id;
    if (id == app.current || id == app.previous || busy.count(id) > 0) continue;
    out.push_back(id);
    --surplus;
  }
  return out;
}

Result<std::string> rollback_target(const AppReleases& app, const std::string& wanted) {
  if (wanted.empty()) {
    if (!app.previous.empty() && app.find(app.previous) != nullptr) return app.previous;
    return Error("release.no-way-back",
                 fmt::format("no confirmed release of {} stands before the current one", app.app),
                 "sentinelctl releases lists those on the host", ExitCode::kUsage);
  }
  const auto* record = app.find(wanted);
  if (record == nullptr) {
    return Error("release.unknown", fmt::format("the host has no release {} of {}", wanted, app.app),
                 "sentinelctl releases lists those on the host", ExitCode::kUsage);
  }
  if (record->state == ReleaseState::kStaged) {
    return Error("release.unknown", fmt::format("release {} of {} never ran", wanted, app.app), "deploy it",
                 ExitCode::kUsage);
  }
  return wanted;
}

}  // namespace sentinel
