// SPDX-License-Identifier: Apache-2.0
// The host's users and groups as /etc/passwd and /etc/group have them. Never through NSS: the agent is static.
// The formats are passwd(5) and group(5).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/resources/look.h"

namespace sentinel {

struct UserEntry {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string comment;
  std::string home;
  std::string shell;

  bool operator==(const UserEntry&) const = default;
};

struct GroupEntry {
  std::string name;
  gid_t gid = 0;
  std::vector<std::string> members;

  bool operator==(const GroupEntry&) const = default;
};

struct Accounts {
  std::vector<UserEntry> users;
  std::vector<GroupEntry> groups;

  const UserEntry* user(const std::string& name) const;
  const GroupEntry* group(const std::string& name) const;
  /// The name, or the decimal id when nothing has it.
  std::string user_name(uid_t uid) const;
  std::string group_name(gid_t gid) const;
  /// A name or a decimal id. Error `resource.no-user` / `resource.no-group`.
  Result<uid_t> uid_of(const std::string& name_or_id) const;
  Result<gid_t> gid_of(const std::string& name_or_id) const;
};

/// Lines that are no entries are skipped, as the C library does.
Accounts parse_accounts(const std::string& passwd, const std::string& group);
/// Reads both files; missing ones are empty.
Result<Accounts> read_accounts(Reader& machine);
/// Read once per Look.
Result<const Accounts*> accounts(Look& look);

/// The state of a user's password by the second field of shadow(5): "locked", "empty", "set"; "unknown" when no line is
/// the user's.
std::string password_state(const std::string& shadow, const std::string& user);

/// A name that useradd would take and that is safe in any file: [a-z_][a-z0-9_-]*, at most 32 characters.
bool is_account_name(const std::string& name);

}  // namespace sentinel
