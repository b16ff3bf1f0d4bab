// SPDX-License-Identifier: Apache-2.0
// Kind `file`: a regular file with exactly this content, owner and mode; also the file part of kinds that own one.
#pragma once

#include <optional>

#include "core/model/plan.h"
#include "core/resources/look.h"
#include "core/resources/path_state.h"

namespace sentinel {

Result<PathState> observe(const File& want, Look& look);
Result<Step> plan(const File& want, const PathState& now, Look& look);
std::optional<ResourceBody> restored(const File& managed, const PathState& then);

}  // namespace sentinel
