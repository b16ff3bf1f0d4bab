// SPDX-License-Identifier: Apache-2.0
// Kind `group`: a group of /etc/group. Members are the users' business (kind `user`).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/model/plan.h"
#include "core/resources/look.h"

namespace sentinel {

struct GroupState {
  bool exists = false;
  std::uint32_t gid = 0;
  std::vector<std::string> members;  ///< only looked at when it is to be removed: they go with it

  bool operator==(const GroupState&) const = default;
};

void to_json(nlohmann::json& json, const GroupState& value);
void from_json(const nlohmann::json& json, GroupState& value);

Result<GroupState> observe(const Group& want, Look& look);
Result<Step> plan(const Group& want, const GroupState& now);
std::optional<ResourceBody> restored(const Group& managed, const GroupState& then);

}  // namespace sentinel
