// SPDX-License-Identifier: Apache-2.0
// Undo commands may fail: after a crash nobody knows whether the action ran, and observing afterwards tells.
#include "core/resources/group.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/model/json_fields.h"
#include "core/resources/accounts.h"

namespace sentinel {
namespace {

std::vector<std::string> groupadd(const Group& want, std::optional<std::uint32_t> gid) {
  std::vector<std::string> argv{"groupadd"};
  if (want.system) argv.push_back("--system");
  if (gid) argv.insert(argv.end(), {"--gid", std::to_string(*gid)});
  argv.push_back(want.name);
  return argv;
}

}  // namespace

SENTINEL_JSON_FIELDS(GroupState, exists, gid, members)

Result<GroupState> observe(const Group& want, Look& look) {
  if (!is_account_name(want.name))
    return Error("resource.bad-name", fmt::format("'{}' is not a group name", want.name));
  SENTINEL_TRY(const auto* known, accounts(look));
  GroupState state;
  if (const auto* entry = known->group(want.name)) {
    state.exists = true;
    state.gid = entry->gid;
    if (want.ensure == Ensure::kAbsent) state.members = entry->members;
  }
  return state;
}

Result<Step> plan(const Group& want, const GroupState& now) {
  Step step;
  if (want.ensure == Ensure::kAbsent) {
    if (!now.exists) return step;
    step.changes.push_back({"group", fmt::format("gid {}", now.gid), "absent", false});
    step.actions = {RunCommand{{"groupdel", want.name}}};
    std::vector<Action> undo{RunCommand{groupadd(want, now.gid), 60, true}};
    if (!now.members.empty()) {
      undo.push_back(
          RunCommand{{"gpasswd", "--members", fmt::format("{}", fmt::join(now.members, ",")), want.name}, 60, true});
    }
    step.undo = std::move(undo);
  } else if (!now.exists) {
    step.changes.push_back({"group", "absent", want.gid ? fmt::format("gid {}", *want.gid) : "present", false});
    step.actions = {RunCommand{groupadd(want, want.gid)}};
    step.undo = std::vector<Action>{RunCommand{{"groupdel", want.name}, 60, true}};
  } else if (want.gid && *want.gid != now.gid) {
    step.changes.push_back({"gid", std::to_string(now.gid), std::to_string(*want.gid), false});
    step.actions = {RunCommand{{"groupmod", "--gid", std::to_string(*want.gid), want.name}}};
    step.undo = std::vector<Action>{RunCommand{{"groupmod", "--gid", std::to_string(now.gid), want.name}, 60, true}};
  }
  return step;
}

std::optional<ResourceBody> restored(const Group& managed, const GroupState& then) {
  Group body = managed;
  body.ensure = then.exists ? Ensure::kPresent : Ensure::kAbsent;
  if (then.exists) body.gid = then.gid;
  return body;
}

}  // namespace sentinel
