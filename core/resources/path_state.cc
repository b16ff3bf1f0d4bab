// SPDX-License-Identifier: Apache-2.0
// Names of owners are looked up in the files, never through NSS.
#include "core/resources/path_state.h"

#include <fmt/format.h>

#include <array>

#include "core/base/digest.h"
#include "core/model/json_fields.h"
#include "core/resources/accounts.h"
#include "core/resources/names.h"

namespace sentinel {
namespace {

std::string owner_of(const FileStatus& status, const std::string& wanted, const Accounts& known) {
  const auto uid = known.uid_of(wanted);
  return uid.ok() && *uid == status.uid ? wanted : known.user_name(status.uid);
}

std::string group_of(const FileStatus& status, const std::string& wanted, const Accounts& known) {
  const auto gid = known.gid_of(wanted);
  return gid.ok() && *gid == status.gid ? wanted : known.group_name(status.gid);
}

}  // namespace

SENTINEL_JSON_FIELDS(PathState, type, content, size, owner, group, mode, target)

Result<PathState> observe_path(const PathQuestion& question, Look& look) {
  SENTINEL_CHECK(check_path(question.path));
  SENTINEL_TRY(const auto status, look.machine().status(question.path));
  PathState state;
  switch (status.type) {
    case FileType::kAbsent: return state;
    case FileType::kOther: state.type = "other"; return state;
    case FileType::kLink: {
      state.type = "link";
      SENTINEL_TRY(state.target, look.machine().read_link(question.path));
      return state;
    }
    case FileType::kDirectory: state.type = "directory"; break;
    case FileType::kRegular: {
      state.type = "file";
      SENTINEL_TRY(auto bytes, look.machine().read_file(question.path));
      state.size = bytes.size();
      const bool is_private = (status.mode & 0004) == 0;
      if (question.sensitive || (question.private_is_sensitive && is_private)) {
        state.content = sensitive_name(look.surroundings().host_key, bytes);
      } else {
        state.content = sha256_hex(bytes);
        look.remember_text(state.content, shown(bytes));
      }
      break;
    }
  }
  SENTINEL_TRY(const auto* known, accounts(look));
  state.owner = owner_of(status, question.owner, *known);
  state.group = group_of(status, question.group, *known);
  state.mode = status.mode;
  return state;
}

std::vector<Action> undo_path(const std::string& path, const PathState& then) {
  if (then.type == "absent") return {RemoveFile{path}};
  if (then.type == "link") return {MakeLink{path, then.target}};
  if (then.type == "file") return {WriteFile{path, {}, then.owner, then.group, then.mode}};
  if (then.type == "directory") return {MakeDirectory{path, then.owner, then.group, then.mode}};
  return {};
}

std::optional<ResourceBody> restored_path(const std::string& path, const PathState& then, FileFormat format) {
  if (then.type == "absent") return File{path, {}, "root", "root", 0644, Ensure::kAbsent, FileFormat::kPlain};
  if (then.type == "link") return Link{path, then.target, Ensure::kPresent};
  if (then.type == "directory") return Directory{path, then.owner, then.group, then.mode, Ensure::kPresent};
  if (then.type == "file") {
    return File{path, {then.content, false, then.size}, then.owner, then.group, then.mode, Ensure::kPresent, format};
  }
  return std::nullopt;
}

std::string shown(const PathState& state) {
  if (state.type == "link") return "link to " + state.target;
  if (state.type == "absent") return "absent";
  if (state.type == "other") return "neither file, directory nor link";
  return fmt::format("{} {}:{} {}", state.type, state.owner, state.group, shown_mode(state.mode));
}

Risk risk_of_path(const std::string& path) {
  static constexpr std::array<std::string_view, 8> kDoors{"/etc/ssh/",          "/etc/sudoers",   "/etc/pam.d/",
                                                          "/etc/ufw/",          "/etc/fail2ban/", "/etc/security/",
                                                          "/etc/nsswitch.conf", "/etc/network/"};
  for (const auto door : kDoors) {
    if (path.starts_with(door)) return Risk::kLockout;
  }
  if (path.ends_with("/.ssh/authorized_keys")) return Risk::kLockout;
  return Risk::kNone;
}

}  // namespace sentinel
