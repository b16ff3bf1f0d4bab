// SPDX-License-Identifier: Apache-2.0
// Made and changed by the shadow tools, which know about locks, subordinate ids and skeletons. A removal is undone by
// the account files themselves: no tool can bring a password's hash back without showing it.
#include "core/resources/user.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "core/model/json_fields.h"
#include "core/resources/accounts.h"
#include "core/resources/names.h"

namespace sentinel {
namespace {

bool is_member(const Accounts& known, const std::string& user, const std::string& group) {
  const auto* entry = known.group(group);
  if (entry == nullptr) return false;
  return std::find(entry->members.begin(), entry->members.end(), user) != entry->members.end();
}

Result<void> check(const User& want) {
  std::vector<std::string> names{want.name};
  names.insert(names.end(), want.groups.begin(), want.groups.end());
  names.insert(names.end(), want.not_groups.begin(), want.not_groups.end());
  if (!want.group.empty()) names.push_back(want.group);
  for (const auto& name : names) {
    if (!is_account_name(name))
      return Error("resource.bad-name", fmt::format("'{}' is not a name for a user or group", name));
  }
  SENTINEL_CHECK(check_path(home_of(want)));
  SENTINEL_CHECK(check_path(want.shell));
  SENTINEL_CHECK(check_line("a user's comment", want.comment));
  if ((want.home + want.shell + want.comment).find(':') != std::string::npos) {
    return Error("resource.bad-line",
                 fmt::format("user '{}': a colon can't stand in home, shell or comment", want.name));
  }
  return {};
}

Result<void> look_at_absent(const User& want, const Accounts& known, Look& look, UserState& state) {
  SENTINEL_TRY(const auto home, look.machine().status(home_of(want)));
  state.home_exists = home.type != FileType::kAbsent;
  if (const auto* entry = known.group(want.name)) state.own_group = entry->gid;
  return {};
}

Result<void> look_at_password(const User& want, Look& look, UserState& state) {
  const auto shadow = look.machine().read_file("/etc/shadow");
  if (!shadow.ok()) return shadow.error().code == "system.ENOENT" ? Result<void>() : Result<void>(shadow.error());
  state.empty_password = password_state(*shadow, want.name) == "empty";
  return {};
}

Result<void> look_at_files(const Accounts& known, Look& look, UserState& state) {
  for (const char* path : {"/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/subgid"}) {
    SENTINEL_TRY(const auto status, look.machine().status(path));
    if (status.type != FileType::kRegular) continue;
    state.files.push_back({path, known.user_name(status.uid), known.group_name(status.gid), status.mode});
  }
  return {};
}

std::vector<std::string> useradd(const User& want, const UserState& now) {
  std::vector<std::string> argv{"useradd", want.system ? "--no-create-home" : "--create-home"};
  if (want.system) argv.push_back("--system");
  if (want.uid) argv.insert(argv.end(), {"--uid", std::to_string(*want.uid)});
  if (!want.group.empty()) {
    argv.insert(argv.end(), {"--gid", want.group});
  } else if (now.own_group) {
    argv.insert(argv.end(), {"--gid", want.name});
  } else {
    argv.push_back("--user-group");
  }
  if (!want.groups.empty()) argv.insert(argv.end(), {"--groups", fmt::format("{}", fmt::join(want.groups, ","))});
  if (!want.comment.empty()) argv.insert(argv.end(), {"--comment", want.comment});
  argv.insert(argv.end(), {"--home-dir", home_of(want), "--shell", want.shell, want.name});
  return argv;
}

Step plan_creation(const User& want, const UserState& now) {
  Step step;
  step.changes.push_back({"user", "absent", want.uid ? fmt::format("uid {}", *want.uid) : "present", false});
  if (!want.groups.empty())
    step.changes.push_back({"groups", "", fmt::format("{}", fmt::join(want.groups, ", ")), false});
  step.changes.push_back({"home", "", home_of(want), false});
  step.changes.push_back({"shell", "", want.shell, false});
  step.actions = {RunCommand{useradd(want, now)}};
  // Forced: a session of the new user may still be open when its making is reverted.
  std::vector<std::string> userdel{"userdel", "--force"};
  if (!now.home_exists && !want.system) userdel.push_back("--remove");
  userdel.push_back(want.name);
  std::vector<Action> undo{RunCommand{userdel, 60, true}};
  // userdel takes an empty group of the same name along.
  if (now.own_group)
    undo.push_back(RunCommand{{"groupadd", "--gid", std::to_string(*now.own_group), want.name}, 60, true});
  step.undo = std::move(undo);
  return step;
}

Step plan_removal(const User& want, const UserState& now) {
  Step step;
  step.changes.push_back({"user", fmt::format("uid {}", now.uid), "absent", false});
  // Forced: it may be the very user whose session asks for it.
  step.actions = {RunCommand{{"userdel", "--force", want.name}}};
  std::vector<Action> undo;
  for (const auto& file : now.files) undo.push_back(WriteFile{file.path, {}, file.owner, file.group, file.mode});
  step.undo = std::move(undo);
  return step;
}

/// One attribute that usermod changes.
void modify(const User& want, const char* attribute, const char* option, const std::string& before,
            const std::string& after, Step& step, std::vector<Action>& undo) {
  if (before == after) return;
  step.changes.push_back({attribute, before, after, false});
  step.actions.push_back(RunCommand{{"usermod", option, after, want.name}});
  undo.push_back(RunCommand{{"usermod", option, before, want.name}, 60, true});
}

Step plan_modification(const User& want, const UserState& now) {
  Step step;
  std::vector<Action> undo;
  if (want.uid) modify(want, "uid", "--uid", std::to_string(now.uid), std::to_string(*want.uid), step, undo);
  if (!want.group.empty()) modify(want, "group", "--gid", now.group, want.group, step, undo);
  if (!want.home.empty()) modify(want, "home", "--home", now.home, want.home, step, undo);
  modify(want, "shell", "--shell", now.shell, want.shell, step, undo);
  if (!want.comment.empty()) modify(want, "comment", "--comment", now.comment, want.comment, step, undo);
  if (now.empty_password) {
    step.changes.push_back({"password", "empty", "locked", false});
    step.actions.push_back(RunCommand{{"usermod", "--lock", want.name}});
    undo.push_back(RunCommand{{"passwd", "--delete", want.name}, 60, true});
  }
  const auto is_in = [&](const std::string& group) {
    return group == now.group || std::binary_search(now.groups.begin(), now.groups.end(), group);
  };
  const auto join = [](const std::string& group) {
    return RunCommand{{"usermod", "--append", "--groups", group}, 300, false};
  };
  const auto named = [&](RunCommand command, bool may_fail) {
    command.argv.push_back(want.name);
    command.may_fail = may_fail;
    return command;
  };
  const auto leave = [&](const std::string& group, bool may_fail) {
    return RunCommand{{"gpasswd", "--delete", want.name, group}, 60, may_fail};
  };
  for (const auto& group : want.groups) {
    if (is_in(group)) continue;
    step.changes.push_back({"groups", "", group, false});
    step.actions.push_back(named(join(group), false));
    undo.push_back(leave(group, true));
  }
  for (const auto& group : want.not_groups) {
    if (!std::binary_search(now.groups.begin(), now.groups.end(), group)) continue;
    step.changes.push_back({"groups", group, "", false});
    step.actions.push_back(leave(group, false));
    undo.push_back(named(join(group), true));
  }
  step.undo = std::move(undo);
  return step;
}

}  // namespace

void to_json(nlohmann::json& json, const AccountFile& value) {
  json = {{"path", value.path}, {"owner", value.owner}, {"group", value.group}, {"mode", value.mode}};
}

void from_json(const nlohmann::json& json, AccountFile& value) {
  json.at("path").get_to(value.path);
  json.at("owner").get_to(value.owner);
  json.at("group").get_to(value.group);
  json.at("mode").get_to(value.mode);
}

void to_json(nlohmann::json& json, const UserState& value) {
  json = {{"exists", value.exists},
          {"uid", value.uid},
          {"group", value.group},
          {"groups", value.groups},
          {"home", value.home},
          {"shell", value.shell},
          {"comment", value.comment},
          {"home_exists", value.home_exists},
          {"own_group", value.own_group ? nlohmann::json(*value.own_group) : nlohmann::json()},
          {"files", value.files},
          {"empty_password", value.empty_password}};
}

void from_json(const nlohmann::json& json, UserState& value) {
  json.at("exists").get_to(value.exists);
  json.at("uid").get_to(value.uid);
  json.at("group").get_to(value.group);
  json.at("groups").get_to(value.groups);
  json.at("home").get_to(value.home);
  json.at("shell").get_to(value.shell);
  json.at("comment").get_to(value.comment);
  json.at("home_exists").get_to(value.home_exists);
  if (!json.at("own_group").is_null()) value.own_group = json.at("own_group").get<std::uint32_t>();
  json.at("files").get_to(value.files);
  value.empty_password = json.value("empty_password", false);  // absent in the journals of earlier versions
}

std::string home_of(const User& user) {
  if (!user.home.empty()) return user.home;
  return user.system ? "/" : "/home/" + user.name;
}

Result<UserState> observe(const User& want, Look& look) {
  SENTINEL_CHECK(check(want));
  SENTINEL_TRY(const auto* known, accounts(look));
  UserState state;
  const auto* entry = known->user(want.name);
  if (entry == nullptr) {
    if (want.ensure == Ensure::kPresent) SENTINEL_CHECK(look_at_absent(want, *known, look, state));
    return state;
  }
  state.exists = true;
  state.uid = entry->uid;
  state.group = known->group_name(entry->gid);
  state.home = entry->home;
  state.shell = entry->shell;
  state.comment = entry->comment;
  auto asked = want.groups;
  asked.insert(asked.end(), want.not_groups.begin(), want.not_groups.end());
  for (const auto& group : asked) {
    if (is_member(*known, want.name, group)) state.groups.push_back(group);
  }
  std::sort(state.groups.begin(), state.groups.end());
  if (want.ensure == Ensure::kAbsent) SENTINEL_CHECK(look_at_files(*known, look, state));
  if (want.ensure == Ensure::kPresent) SENTINEL_CHECK(look_at_password(want, look, state));
  return state;
}

Result<Step> plan(const User& want, const UserState& now) {
  Step step;
  if (want.ensure == Ensure::kAbsent) {
    if (!now.exists) return step;
    step = plan_removal(want, now);
  } else {
    step = now.exists ? plan_modification(want, now) : plan_creation(want, now);
  }
  if (!step.changes.empty() && !want.system) step.risk = Risk::kLockout;
  return step;
}

std::optional<ResourceBody> restored(const User& managed, const UserState& then) {
  User body = managed;
  if (!then.exists) {
    body.ensure = Ensure::kAbsent;
    return body;
  }
  body.ensure = Ensure::kPresent;
  body.uid = then.uid;
  body.group = then.group;
  body.home = then.home;
  body.shell = then.shell;
  body.comment = then.comment;
  body.groups = then.groups;
  body.not_groups.clear();
  for (const auto& group : managed.groups) {
    if (!std::binary_search(then.groups.begin(), then.groups.end(), group)) body.not_groups.push_back(group);
  }
  return body;
}

}  // namespace sentinel
