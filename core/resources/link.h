// SPDX-License-Identifier: Apache-2.0
// Kind `link`: a symlink with exactly this target. A file or link that stands there is replaced in one step.
#pragma once

#include <optional>

#include "core/model/plan.h"
#include "core/resources/look.h"
#include "core/resources/path_state.h"

namespace sentinel {

Result<PathState> observe(const Link& want, Look& look);
Result<Step> plan(const Link& want, const PathState& now, Look& look);
std::optional<ResourceBody> restored(const Link& managed, const PathState& then);

}  // namespace sentinel
