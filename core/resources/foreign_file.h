// SPDX-License-Identifier: Apache-2.0
// Files that aren't ours but hold lines that win over ours: those lines, and nothing else, become comments that say
// why.
#pragma once

#include <string>
#include <vector>

#include "core/model/plan.h"
#include "core/resources/look.h"
#include "core/resources/path_state.h"

namespace sentinel {

struct ForeignEdit {
  std::string path;
  std::vector<int> lines;  ///< from 1
  std::string why;
  std::string head;  ///< put before everything else; may be empty
};

/// Looks at the file and keeps its text for the plan.
Result<PathState> observe_foreign(const std::string& path, Look& look);

/// Adds writing the edited file to the step, and its way back to `undo`. Error `resource.not-a-file` when something
/// else stands there, `resource.not-observed` when its text isn't known: it is never guessed.
Result<void> edit_foreign(const ForeignEdit& edit, const PathState& now, Look& look, Step& step,
                          std::vector<Action>& undo);

/// The text with these lines turned into comments.
std::string comment_out(const std::string& text, const std::vector<int>& lines, const std::string& why);

}  // namespace sentinel
