// SPDX-License-Identifier: Apache-2.0
// Every tool reads both files, changes the parsed form and writes both back: short, and always consistent.
#include "tests/support/fake_accounts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "core/resources/accounts.h"

namespace sentinel {
namespace {

Accounts read(FakeSystem& machine) {
  return parse_accounts(machine.bytes("/etc/passwd"), machine.bytes("/etc/group"));
}

void write(FakeSystem& machine, const Accounts& accounts) {
  std::string passwd;
  for (const auto& user : accounts.users) {
    passwd += fmt::format("{}:x:{}:{}:{}:{}:{}\n", user.name, user.uid, user.gid, user.comment, user.home, user.shell);
  }
  std::string group;
  for (const auto& entry : accounts.groups)
    group += fmt::format("{}:x:{}:{}\n", entry.name, entry.gid, fmt::join(entry.members, ","));
  machine.put_file("/etc/passwd", passwd);
  machine.put_file("/etc/group", group);
}

/// Options with and without values; the rest are words.
struct Arguments {
  std::map<std::string, std::string> values;
  std::vector<std::string> words;

  explicit Arguments(const std::vector<std::string>& argv) {
    for (std::size_t i = 1; i < argv.size(); ++i) {
      const bool flag = argv[i] == "--create-home" || argv[i] == "--no-create-home" || argv[i] == "--system" ||
                        argv[i] == "--user-group" || argv[i] == "--append" || argv[i] == "--remove" ||
                        argv[i] == "--force" || argv[i] == "--lock";
      if (flag) {
        values[argv[i]] = "";
      } else if (argv[i].starts_with("--") && i + 1 < argv.size()) {
        values[argv[i]] = argv[i + 1];
        ++i;
      } else {
        words.push_back(argv[i]);
      }
    }
  }

  bool has(const std::string& option) const { return values.count(option) > 0; }

  std::string get(const std::string& option) const { return has(option) ? values.at(option) : ""; }
};

GroupEntry* find_group(Accounts& accounts, const std::string& name) {
  const auto found = std::find_if(accounts.groups.begin(), accounts.groups.end(),
                                  [&](const auto& group) { return group.name == name; });
  return found == accounts.groups.end() ? nullptr : &*found;
}

UserEntry* find_user(Accounts& accounts, const std::string& name) {
  const auto found =
      std::find_if(accounts.users.begin(), accounts.users.end(), [&](const auto& user) { return user.name == name; });
  return found == accounts.users.end() ? nullptr : &*found;
}

std::uint32_t next_id(const Accounts& accounts, bool system) {
  std::uint32_t id = system ? 900 : 1000;
  for (const auto& user : accounts.users) id = user.uid >= id && (!system || user.uid < 1000) ? user.uid + 1 : id;
  for (const auto& group : accounts.groups) id = group.gid >= id && (!system || group.gid < 1000) ? group.gid + 1 : id;
  return id;
}

bool join_groups(Accounts& accounts, const std::string& user, const std::string& list) {
  std::string name;
  for (const char c : list + ",") {
    if (c != ',') {
      name += c;
      continue;
    }
    auto* group = name.empty() ? nullptr : find_group(accounts, name);
    if (!name.empty() && group == nullptr) return false;
    if (group != nullptr && std::find(group->members.begin(), group->members.end(), user) == group->members.end())
      group->members.push_back(user);
    name.clear();
  }
  return true;
}

CommandResult useradd(FakeSystem& machine, const CommandLine& command) {
  const Arguments given(command.argv);
  auto accounts = read(machine);
  const auto& name = given.words.at(0);
  if (find_user(accounts, name) != nullptr) return {9, "", "useradd: user '" + name + "' already exists\n"};
  UserEntry user{name, 0, 0, given.get("--comment"), given.get("--home-dir"), given.get("--shell")};
  user.uid = given.has("--uid") ? static_cast<uid_t>(std::stoul(given.get("--uid")))
                                : next_id(accounts, given.has("--system"));
  if (given.has("--user-group")) {
    if (find_group(accounts, name) != nullptr) return {9, "", "useradd: group " + name + " exists\n"};
    accounts.groups.push_back({name, user.uid, {}});
    user.gid = user.uid;
  } else {
    const auto* group = find_group(accounts, given.get("--gid"));
    if (group == nullptr) return {6, "", "useradd: group '" + given.get("--gid") + "' does not exist\n"};
    user.gid = group->gid;
  }
  if (!join_groups(accounts, name, given.get("--groups"))) return {6, "", "useradd: group does not exist\n"};
  accounts.users.push_back(user);
  write(machine, accounts);
  if (given.has("--create-home") && machine.status(user.home)->type == FileType::kAbsent) {
    machine.put_directory(user.home, {user.uid, user.gid, 0700});
    machine.put_file(user.home + "/.profile", "# skeleton\n", {user.uid, user.gid, 0644});
  }
  return {};
}

CommandResult userdel(FakeSystem& machine, const CommandLine& command) {
  const Arguments given(command.argv);
  auto accounts = read(machine);
  const auto& name = given.words.at(0);
  const auto* user = find_user(accounts, name);
  if (user == nullptr) return {6, "", "userdel: user '" + name + "' does not exist\n"};
  const UserEntry gone = *user;
  std::erase_if(accounts.users, [&](const auto& entry) { return entry.name == name; });
  for (auto& group : accounts.groups) std::erase(group.members, name);
  std::erase_if(accounts.groups, [&](const auto& group) {
    return group.name == name && group.gid == gone.gid && group.members.empty();
  });
  write(machine, accounts);
  if (given.has("--remove")) machine.erase(gone.home);
  return {};
}

/// Puts `hash` into the second field of the user's line of /etc/shadow.
void set_password(FakeSystem& machine, const std::string& user, const std::string& hash) {
  auto shadow = "\n" + machine.bytes("/etc/shadow");
  const auto begin = shadow.find("\n" + user + ":");
  if (begin == std::string::npos) return;
  const auto field = begin + user.size() + 2;
  shadow.replace(field, shadow.find(':', field) - field, hash);
  machine.put_file("/etc/shadow", shadow.substr(1), {0, 4, 0640});
}

CommandResult usermod(FakeSystem& machine, const CommandLine& command) {
  const Arguments given(command.argv);
  auto accounts = read(machine);
  auto* user = find_user(accounts, given.words.at(0));
  if (user == nullptr) return {6, "", "usermod: user does not exist\n"};
  if (given.has("--uid")) user->uid = static_cast<uid_t>(std::stoul(given.get("--uid")));
  if (given.has("--shell")) user->shell = given.get("--shell");
  if (given.has("--home")) user->home = given.get("--home");
  if (given.has("--comment")) user->comment = given.get("--comment");
  if (given.has("--lock")) set_password(machine, user->name, "!");
  if (given.has("--gid")) {
    const auto* group = find_group(accounts, given.get("--gid"));
    if (group == nullptr) return {6, "", "usermod: group does not exist\n"};
    user->gid = group->gid;
  }
  if (!join_groups(accounts, user->name, given.get("--groups"))) return {6, "", "usermod: group does not exist\n"};
  write(machine, accounts);
  return {};
}

CommandResult groupadd(FakeSystem& machine, const CommandLine& command) {
  const Arguments given(command.argv);
  auto accounts = read(machine);
  if (find_group(accounts, given.words.at(0)) != nullptr) return {9, "", "groupadd: group already exists\n"};
  const auto gid = given.has("--gid") ? static_cast<gid_t>(std::stoul(given.get("--gid")))
                                      : next_id(accounts, given.has("--system"));
  accounts.groups.push_back({given.words.at(0), gid, {}});
  write(machine, accounts);
  return {};
}

CommandResult groupmod(FakeSystem& machine, const CommandLine& command) {
  const Arguments given(command.argv);
  auto accounts = read(machine);
  auto* group = find_group(accounts, given.words.at(0));
  if (group == nullptr) return {6, "", "groupmod: group does not exist\n"};
  group->gid = static_cast<gid_t>(std::stoul(given.get("--gid")));
  write(machine, accounts);
  return {};
}

CommandResult groupdel(FakeSystem& machine, const CommandLine& command) {
  auto accounts = read(machine);
  const auto& name = command.argv.at(1);
  if (find_group(accounts, name) == nullptr) return {6, "", "groupdel: group does not exist\n"};
  std::erase_if(accounts.groups, [&](const auto& group) { return group.name == name; });
  write(machine, accounts);
  return {};
}

CommandResult gpasswd(FakeSystem& machine, const CommandLine& command) {
  auto accounts = read(machine);
  auto* group = find_group(accounts, command.argv.at(3));
  if (group == nullptr) return {3, "", "gpasswd: group does not exist\n"};
  const auto& names = command.argv.at(2);
  if (command.argv.at(1) == "--members") {
    group->members.clear();
    join_groups(accounts, names, group->name);
  } else if (std::erase(group->members, names) == 0) {
    return {3, "", "gpasswd: user is not a member\n"};
  }
  write(machine, accounts);
  return {};
}

/// `passwd --delete USER`
CommandResult passwd(FakeSystem& machine, const CommandLine& command) {
  set_password(machine, command.argv.at(2), "");
  return {};
}

}  // namespace

void put_accounts(FakeSystem& machine) {
  machine.put_file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
  machine.put_file("/etc/group", "root:x:0:\nadm:x:4:\nsudo:x:27:\nusers:x:100:\n");
  machine.on({"useradd"}, useradd);
  machine.on({"userdel"}, userdel);
  machine.on({"usermod"}, usermod);
  machine.on({"groupadd"}, groupadd);
  machine.on({"groupmod"}, groupmod);
  machine.on({"groupdel"}, groupdel);
  machine.on({"gpasswd"}, gpasswd);
  machine.on({"passwd"}, passwd);
}

}  // namespace sentinel
