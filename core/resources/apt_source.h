// SPDX-License-Identifier: Apache-2.0
// Kind `apt_source`: a third-party repository as two files, its key and its list. apt may use the key for this list
// only.
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "core/model/plan.h"
#include "core/resources/look.h"
#include "core/resources/path_state.h"

namespace sentinel {

struct AptSourceState {
  bool has_directory = false;  ///< /etc/apt/keyrings, which Debian 11 doesn't have
  PathState key;
  PathState list;
  std::string line;  ///< what the list says, where it is one line without credentials

  bool operator==(const AptSourceState&) const = default;
};

void to_json(nlohmann::json& json, const AptSourceState& value);
void from_json(const nlohmann::json& json, AptSourceState& value);

Result<AptSourceState> observe(const AptSource& want, Look& look);
Result<Step> plan(const AptSource& want, const AptSourceState& now, Look& look);
/// Only what an AptSource can say: a key and a list that were there in another form come back as absent.
std::optional<ResourceBody> restored(const AptSource& managed, const AptSourceState& then);

}  // namespace sentinel
