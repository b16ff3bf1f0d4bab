// SPDX-License-Identifier: Apache-2.0
// Kind `directory`. Removing one removes it only when nothing is left in it that isn't ours.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/plan.h"
#include "core/resources/look.h"
#include "core/resources/path_state.h"

namespace sentinel {

struct DirectoryState {
  PathState path;
  std::vector<std::string> missing_parents;  ///< outermost first; made and unmade with it
  std::vector<std::string> entries;          ///< only looked at when it is to be removed

  bool operator==(const DirectoryState&) const = default;
};

void to_json(nlohmann::json& json, const DirectoryState& value);
void from_json(const nlohmann::json& json, DirectoryState& value);

Result<DirectoryState> observe(const Directory& want, Look& look);
Result<Step> plan(const Directory& want, const DirectoryState& now, Look& look);
std::optional<ResourceBody> restored(const Directory& managed, const DirectoryState& then);

}  // namespace sentinel
