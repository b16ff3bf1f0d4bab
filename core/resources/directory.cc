// SPDX-License-Identifier: Apache-2.0
// Parents that have to be made are part of the state, so that the undo takes them away again.
#include "core/resources/directory.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/file.h"
#include "core/model/json_fields.h"
#include "core/resources/names.h"

namespace sentinel {
namespace {

Result<std::vector<std::string>> missing_parents(const std::string& path, Look& look) {
  std::vector<std::string> missing;
  for (auto parent = parent_directory(path); parent != "/"; parent = parent_directory(parent)) {
    SENTINEL_TRY(const auto status, look.machine().status(parent));
    if (status.type != FileType::kAbsent) break;
    missing.insert(missing.begin(), parent);
  }
  return missing;
}

Result<Step> plan_removal(const Directory& want, const DirectoryState& now, Look& look) {
  Step step;
  if (now.path.type != "directory") return step;
  const bool empty = std::all_of(now.entries.begin(), now.entries.end(),
                                 [&](const auto& name) { return look.is_to_be_removed(want.path + "/" + name); });
  if (!empty) return step;  // what is in it isn't ours
  step.changes.push_back({"directory", shown(now.path), "absent", false});
  step.actions = {RemoveDirectory{want.path}};
  step.undo = undo_path(want.path, now.path);
  look.note_removal(want.path);
  return step;
}

}  // namespace

SENTINEL_JSON_FIELDS(DirectoryState, path, missing_parents, entries)

Result<DirectoryState> observe(const Directory& want, Look& look) {
  DirectoryState state;
  SENTINEL_TRY(state.path, observe_path({want.path, want.owner, want.group, false, true}, look));
  if (!state.path.exists() && want.ensure == Ensure::kPresent) {
    SENTINEL_TRY(state.missing_parents, missing_parents(want.path, look));
  }
  if (state.path.type == "directory" && want.ensure == Ensure::kAbsent) {
    SENTINEL_TRY(state.entries, look.machine().list(want.path));
  }
  return state;
}

Result<Step> plan(const Directory& want, const DirectoryState& now, Look& look) {
  if (want.ensure == Ensure::kAbsent) return plan_removal(want, now, look);
  Step step;
  if (now.path.exists() && now.path.type != "directory") {
    return Error("resource.not-a-directory",
                 fmt::format("{} exists and is not a directory ({})", want.path, shown(now.path)));
  }
  const auto mode = shown_mode(want.mode);
  if (!now.path.exists()) {
    step.changes.push_back(
        {"directory", "absent", fmt::format("directory {}:{} {}", want.owner, want.group, mode), false});
    step.actions = {MakeDirectory{want.path, want.owner, want.group, want.mode}};
    std::vector<Action> undo{RemoveDirectory{want.path}};
    for (auto parent = now.missing_parents.rbegin(); parent != now.missing_parents.rend(); ++parent) {
      undo.push_back(RemoveDirectory{*parent});
    }
    step.undo = std::move(undo);
    return step;
  }
  if (want.owner != now.path.owner) step.changes.push_back({"owner", now.path.owner, want.owner, false});
  if (want.group != now.path.group) step.changes.push_back({"group", now.path.group, want.group, false});
  if (want.mode != now.path.mode) step.changes.push_back({"mode", shown_mode(now.path.mode), mode, false});
  if (step.changes.empty()) return step;
  step.actions = {SetAttributes{want.path, want.owner, want.group, want.mode}};
  step.undo = std::vector<Action>{SetAttributes{want.path, now.path.owner, now.path.group, now.path.mode}};
  step.risk = risk_of_path(want.path + "/");
  return step;
}

std::optional<ResourceBody> restored(const Directory& managed, const DirectoryState& then) {
  if (!then.path.exists()) {
    Directory body = managed;
    body.ensure = Ensure::kAbsent;
    return body;
  }
  return restored_path(managed.path, then.path, FileFormat::kPlain);
}

}  // namespace sentinel
