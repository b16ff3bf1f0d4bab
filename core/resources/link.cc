// SPDX-License-Identifier: Apache-2.0
// A link below a unit directory is what enables or masks a unit, so systemd has to read it again.
#include "core/resources/link.h"

#include <fmt/format.h>

#include "core/resources/names.h"

namespace sentinel {

Result<PathState> observe(const Link& want, Look& look) {
  SENTINEL_CHECK(check_line("the target of a link", want.target));
  // A file in its place would be replaced, so its content belongs to the state; it may be anything.
  return observe_path({want.path, "root", "root", false, true}, look);
}

Result<Step> plan(const Link& want, const PathState& now, Look& look) {
  Step step;
  if (want.ensure == Ensure::kAbsent) {
    if (now.type != "link") return step;  // not a link: nothing of ours is there
    step.changes.push_back({"link", shown(now), "absent", false});
    step.actions = {RemoveFile{want.path}};
    look.note_removal(want.path);
  } else {
    if (want.target.empty()) return Error("resource.no-target", fmt::format("link {} has no target", want.path));
    if (now.type == "link" && now.target == want.target) return step;
    if (now.type == "directory" || now.type == "other") {
      return Error("resource.not-a-link",
                   fmt::format("{} exists and is neither a link nor a file ({})", want.path, shown(now)));
    }
    step.changes.push_back({"link", shown(now), "link to " + want.target, false});
    step.actions = {MakeLink{want.path, want.target}};
  }
  step.undo = undo_path(want.path, now);
  step.risk = risk_of_path(want.path);
  if (want.path.starts_with("/etc/systemd/system/")) step.effects.push_back({Effect::Kind::kDaemonReload, ""});
  return step;
}

std::optional<ResourceBody> restored(const Link& managed, const PathState& then) {
  if (!then.exists()) return Link{managed.path, managed.target, Ensure::kAbsent};
  return restored_path(managed.path, then, FileFormat::kPlain);
}

}  // namespace sentinel
