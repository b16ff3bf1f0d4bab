// SPDX-License-Identifier: Apache-2.0
// The first entry of a name or id wins, as in the C library.
#include "core/resources/accounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string_view>

namespace sentinel {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool parse_id(std::string_view text, std::uint32_t& id) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
  return failure == std::errc{} && end == text.data() + text.size() && !text.empty();
}

Result<std::string> read_or_empty(Reader& machine, const std::string& path) {
  auto text = machine.read_file(path);
  if (!text.ok() && text.error().code == "system.ENOENT") return std::string();
  return text;
}

}  // namespace

const UserEntry* Accounts::user(const std::string& name) const {
  const auto found = std::find_if(users.begin(), users.end(), [&](const auto& entry) { return entry.name == name; });
  return found == users.end() ? nullptr : &*found;
}

const GroupEntry* Accounts::group(const std::string& name) const {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& entry) { return entry.name == name; });
  return found == groups.end() ? nullptr : &*found;
}

std::string Accounts::user_name(uid_t uid) const {
  const auto found = std::find_if(users.begin(), users.end(), [&](const auto& entry) { return entry.uid == uid; });
  return found == users.end() ? std::to_string(uid) : found->name;
}

std::string Accounts::group_name(gid_t gid) const {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& entry) { return entry.gid == gid; });
  return found == groups.end() ? std::to_string(gid) : found->name;
}

Result<uid_t> Accounts::uid_of(const std::string& name_or_id) const {
  if (const auto* entry = user(name_or_id)) return entry->uid;
  std::uint32_t id = 0;
  if (parse_id(name_or_id, id)) return id;
  return Error("resource.no-user", fmt::format("there is no user '{}'", name_or_id));
}

Result<gid_t> Accounts::gid_of(const std::string& name_or_id) const {
  if (const auto* entry = group(name_or_id)) return entry->gid;
  std::uint32_t id = 0;
  if (parse_id(name_or_id, id)) return id;
  return Error("resource.no-group", fmt::format("there is no group '{}'", name_or_id));
}

Accounts parse_accounts(const std::string& passwd, const std::string& group) {
  Accounts accounts;
  for (const auto line : split(passwd, '\n')) {
    const auto fields = split(line, ':');
    UserEntry entry;
    if (fields.size() != 7 || fields[0].empty() || !parse_id(fields[2], entry.uid) || !parse_id(fields[3], entry.gid))
      continue;
    entry.name = fields[0];
    entry.comment = fields[4];
    entry.home = fields[5];
    entry.shell = fields[6];
    accounts.users.push_back(std::move(entry));
  }
  for (const auto line : split(group, '\n')) {
    const auto fields = split(line, ':');
    GroupEntry entry;
    if (fields.size() != 4 || fields[0].empty() || !parse_id(fields[2], entry.gid)) continue;
    entry.name = fields[0];
    for (const auto member : split(fields[3], ',')) {
      if (!member.empty()) entry.members.emplace_back(member);
    }
    accounts.groups.push_back(std::move(entry));
  }
  return accounts;
}

Result<Accounts> read_accounts(Reader& machine) {
  SENTINEL_TRY(const auto passwd, read_or_empty(machine, "/etc/passwd"));
  SENTINEL_TRY(const auto group, read_or_empty(machine, "/etc/group"));
  return parse_accounts(passwd, group);
}

Result<const Accounts*> accounts(Look& look) {
  return look.shared<Accounts>([&] { return read_accounts(look.machine()); });
}

std::string password_state(const std::string& shadow, const std::string& user) {
  std::istringstream lines(shadow);
  std::string line;
  while (std::getline(lines, line)) {
    if (!line.starts_with(user + ":")) continue;
    const auto rest = line.substr(user.size() + 1);
    const auto hash = rest.substr(0, rest.find(':'));
    if (hash.empty()) return "empty";
    return hash.front() == '!' || hash.front() == '*' ? "locked" : "set";
  }
  return "unknown";
}

bool is_account_name(const std::string& name) {
  if (name.empty() || name.size() > 32) return false;
  const auto lower = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return lower(name.front()) && std::all_of(name.begin() + 1, name.end(),
                                            [&](char c) { return lower(c) || (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace sentinel
