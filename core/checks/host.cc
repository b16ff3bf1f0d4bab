// SPDX-License-Identifier: Apache-2.0
// os:       {id, version, name, virtualization, kernel: {running, installed: [version], newest}}
// accounts: {root_users: [name], groups: {group: [member]}, users: {name: {exists, uid, shell, home, password: locked|
//            empty|set|unknown, sudo: [rule], sudo_knows_host}}}; passwords by their state, never their hash
// ssh.keys: {user: {exists, keys: [{type, bits, fingerprint, options}], problems: [text]}}
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "core/base/digest.h"
#include "core/checks/debian_version.h"
#include "core/checks/families.h"
#include "core/resources/accounts.h"
#include "core/resources/authorized_keys.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr std::string_view kKernelFile = "vmlinuz-";

Result<Answer> look_at_os(const Inquiry& inquiry) {
  const Facts& facts = inquiry.facts;
  if (facts.os_id.empty()) return Error("probe.absent", "/etc/os-release names no system");
  SENTINEL_TRY(const auto names, inquiry.machine().list("/boot"));
  std::vector<std::string> kernels;
  for (const auto& name : names) {
    if (name.starts_with(kKernelFile)) kernels.push_back(name.substr(kKernelFile.size()));
  }
  std::sort(kernels.begin(), kernels.end(),
            [](const std::string& left, const std::string& right) { return compare_versions(left, right) < 0; });
  return Answer{{{"id", facts.os_id},
                 {"version", facts.os_version},
                 {"name", facts.os_name},
                 {"virtualization", facts.virtualization},
                 {"kernel",
                  {{"running", facts.kernel},
                   {"installed", kernels},
                   {"newest", kernels.empty() ? std::string() : kernels.back()}}}},
                "/etc/os-release, uname, /boot"};
}

struct SudoSaid {
  std::vector<std::string> rules;
  bool knows_host = true;  ///< it can resolve the host's own name, which it looks up each time
};

/// What sudo lets a user do, as `sudo -l -U` says it; no rules when it may do nothing.
Result<SudoSaid> ask_sudo(const std::string& user, Reader& machine) {
  CommandLine command;
  command.argv = {"sudo", "-n", "-l", "-U", user};
  command.timeout = std::chrono::seconds(10);
  SENTINEL_TRY(const auto result, machine.query(command));
  SudoSaid out;
  if (result.status == 127) return out;
  if (result.status != 0) return Error("probe.failed", "sudo -l: " + result.reason());
  out.knows_host = result.errors.find("unable to resolve host") == std::string::npos;
  std::istringstream lines(result.output);
  std::string line;
  bool rules = false;
  while (std::getline(lines, line)) {
    if (line.find("may run the following commands") != std::string::npos) {
      rules = true;
    } else if (rules && line.find_first_not_of(' ') != std::string::npos) {
      out.rules.push_back(line.substr(line.find_first_not_of(' ')));
    }
  }
  return out;
}

Result<Answer> look_at_accounts(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto* known, accounts(inquiry.look));
  auto shadow = inquiry.machine().read_file("/etc/shadow");
  if (!shadow.ok()) return std::move(shadow).error();
  json out{{"root_users", json::array()}, {"groups", json::object()}, {"users", json::object()}};
  for (const auto& user : known->users) {
    if (user.uid == 0) out["root_users"].push_back(user.name);
  }
  for (const auto& group : {"docker", "sudo", "adm", "lxd", "wheel"}) {
    const auto* entry = known->group(group);
    if (entry == nullptr) continue;
    auto& members = out["groups"][group] = entry->members;
    for (const auto& user : known->users) {
      if (user.gid == entry->gid) members.push_back(user.name);  // by their own entry, not the group's
    }
  }
  for (const auto& name : inquiry.list("users")) {
    const auto* user = known->user(name);
    auto& entry = out["users"][name] = {{"exists", user != nullptr}};
    if (user == nullptr) continue;
    SENTINEL_TRY(const auto sudo, ask_sudo(name, inquiry.machine()));
    entry["uid"] = user->uid;
    entry["shell"] = user->shell;
    entry["home"] = user->home;
    entry["password"] = password_state(*shadow, name);
    entry["sudo"] = sudo.rules;
    entry["sudo_knows_host"] = sudo.knows_host;
  }
  return Answer{std::move(out), "/etc/passwd, /etc/group, /etc/shadow, sudo -l"};
}

/// Bits of an RSA key's modulus: its wire form is type, exponent, modulus, each behind a length (RFC 4253, 6.6).
std::size_t rsa_bits(const std::string& blob) {
  const auto bytes = base64_decode(blob);
  if (!bytes) return 0;
  std::size_t at = 0;
  std::string_view part;
  for (int i = 0; i < 3; ++i) {
    if (at + 4 > bytes->size()) return 0;
    std::size_t size = 0;
    for (int j = 0; j < 4; ++j)
      size = size << 8 | static_cast<unsigned char>((*bytes)[at + static_cast<std::size_t>(j)]);
    at += 4;
    if (size > bytes->size() - at) return 0;
    part = std::string_view(*bytes).substr(at, size);
    at += size;
  }
  while (!part.empty() && part.front() == '\0') part.remove_prefix(1);
  if (part.empty()) return 0;
  std::size_t bits = part.size() * 8;
  for (auto top = static_cast<unsigned char>(part.front()); (top & 0x80) == 0;
       top = static_cast<unsigned char>(top << 1))
    --bits;
  return bits;
}

/// StrictModes of sshd_config(5): home, directory and file belong to the user or root, and nobody else writes there.
Result<void> check_modes(const std::string& path, uid_t uid, Reader& machine, json& problems) {
  SENTINEL_TRY(const auto status, machine.status(path));
  if (status.type == FileType::kAbsent) return {};
  if (status.uid != 0 && status.uid != uid) problems.push_back(path + " belongs to somebody else");
  if ((status.mode & 022) != 0)
    problems.push_back(fmt::format("{} can be written by others ({:04o})", path, status.mode));
  return {};
}

Result<json> keys_of(const UserEntry& user, Reader& machine) {
  json out{{"exists", true}, {"keys", json::array()}, {"problems", json::array()}};
  const std::string directory = user.home + "/.ssh";
  const std::string file = directory + "/authorized_keys";
  for (const auto& path : {user.home, directory, file})
    SENTINEL_CHECK(check_modes(path, user.uid, machine, out["problems"]));
  const auto text = machine.read_file(file);
  if (!text.ok()) {
    if (text.error().code != "system.ENOENT" && text.error().code != "system.ENOTDIR") return text.error();
    return out;
  }
  std::istringstream lines(*text);
  std::string line;
  while (std::getline(lines, line)) {
    const auto key = parse_authorized_key(line);
    if (!key) continue;
    out["keys"].push_back({{"type", key->type},
                           {"bits", key->type == "ssh-rsa" ? rsa_bits(key->blob) : 0},
                           {"fingerprint", key->fingerprint()},
                           {"options", key->options}});
  }
  return out;
}

Result<Answer> look_at_keys(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto* known, accounts(inquiry.look));
  Answer out{json::object(), "~/.ssh/authorized_keys"};
  for (const auto& name : inquiry.list("users")) {
    const auto* user = known->user(name);
    if (user == nullptr) {
      out.value[name] = {{"exists", false}, {"keys", json::array()}, {"problems", json::array()}};
      continue;
    }
    SENTINEL_TRY(out.value[name], keys_of(*user, inquiry.machine()));
  }
  return out;
}

}  // namespace

HostProbes host_probes() {
  return {{"accounts", look_at_accounts}, {"os", look_at_os}, {"ssh.keys", look_at_keys}};
}

}  // namespace sentinel
