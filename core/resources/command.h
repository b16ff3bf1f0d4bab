// SPDX-License-Identifier: Apache-2.0
// Kind `command`: a command that runs only when its guard says so. One that is `always` to be run has changes in every
// plan; whoever proves convergence has to leave it out.
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "core/model/plan.h"
#include "core/resources/look.h"

namespace sentinel {

struct CommandState {
  bool done = false;  ///< by its guard

  bool operator==(const CommandState&) const = default;
};

void to_json(nlohmann::json& json, const CommandState& value);
void from_json(const nlohmann::json& json, CommandState& value);

Result<CommandState> observe(const Command& want, Look& look);
Result<Step> plan(const Command& want, const CommandState& now);
/// Nothing: a command has no state to go back to.
std::optional<ResourceBody> restored(const Command& managed, const CommandState& then);

}  // namespace sentinel
