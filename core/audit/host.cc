// SPDX-License-Identifier: Apache-2.0
// The system itself, its users, its kernel parameters and its logs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/audit/families.h"
#include "core/audit/ruling.h"
#include "core/audit/times.h"
#include "core/audit/units.h"
#include "core/model/virtualization.h"

namespace sentinel {
namespace {

using nlohmann::json;

/// with: {supported: {"debian-12": last day of its security support}}
Result<Judged> judge_os(const Case& subject) {
  SENTINEL_TRY(const auto* os, subject.seen("os"));
  const auto& supported = subject.with().at("supported");
  const auto name = fmt::format("{}-{}", os->at("id").get<std::string>(), os->at("version").get<std::string>());
  std::vector<std::string> names;
  for (const auto& [known, end] : supported.items()) names.push_back(known);
  Ruling ruling(fmt::format("one of {}, within its security support", fmt::join(names, ", ")));
  ruling.saw("os", os->at("name").get<std::string>(), "/etc/os-release");
  if (!supported.contains(name)) {
    ruling.fault(fmt::format("{} is not a system this is meant for", os->at("name").get<std::string>()),
                 Persistence::kNone);
  } else {
    const auto end = supported.at(name).get<std::string>();
    const auto today = day_of(subject.record().taken_at);
    ruling.saw("os", fmt::format("security support of {} ends {}", name, end), "the checklist");
    if (today.empty() || end.size() != today.size()) {
      ruling.cannot_tell("the day of the audit or of the end of support is unknown");
    } else if (today > end) {
      ruling.fault(fmt::format("security support of {} ended on {}", name, end), Persistence::kNone);
    }
  }
  const auto& kernel = os->at("kernel");
  const auto running = kernel.at("running").get<std::string>();
  const auto newest = kernel.at("newest").get<std::string>();
  ruling.saw("os", fmt::format("kernel {} runs, {} is the newest installed", running, newest.empty() ? "none" : newest),
             "uname, /boot");
  const bool own_kernel = !is_container(os->at("virtualization").get<std::string>());
  if (own_kernel && !newest.empty() && newest != running)
    ruling.doubt(fmt::format("the kernel {} waits for a reboot", newest));
  return std::move(ruling).close(os->at("name").get<std::string>());
}

/// with: {user, key: whether the playbook put one there}
Result<Judged> judge_keys(const Case& subject) {
  const auto user = subject.with().at("user").get<std::string>();
  SENTINEL_TRY(const auto* keys, subject.seen("ssh.keys"));
  const auto& entry = keys->at(user);
  Ruling ruling(fmt::format("{} has a key that sshd accepts", user));
  if (!entry.at("exists").get<bool>()) ruling.fault(fmt::format("there is no user {}", user));
  for (const auto& problem : entry.at("problems")) ruling.fault("StrictModes: " + problem.get<std::string>());
  int good = 0;
  for (const auto& key : entry.at("keys")) {
    const auto type = key.at("type").get<std::string>();
    const auto bits = key.at("bits").get<int>();
    const auto name = fmt::format("{} {}", type, key.at("fingerprint").get<std::string>());
    ruling.saw("ssh.keys", name, fmt::format("~{}/.ssh/authorized_keys", user));
    if (type == "ssh-dss" || (type == "ssh-rsa" && bits < 2048)) {
      ruling.fault(fmt::format("{} is too weak", name));
    } else {
      ++good;
    }
  }
  if (good == 0 && entry.at("exists").get<bool>()) ruling.fault(fmt::format("{} has no key", user));
  return std::move(ruling).close(fmt::format("{} key{}", good, good == 1 ? "" : "s"), Persistence::kBoth);
}

/// with: {user, sudo: whether it has to be able to become root, app_users: [name]}
Result<Judged> judge_users(const Case& subject) {
  const auto user = subject.with().at("user").get<std::string>();
  SENTINEL_TRY(const auto* accounts, subject.seen("accounts"));
  Ruling ruling(
      fmt::format("{} is an ordinary user with a locked password and a way to root; root is the only uid 0", user));
  const auto roots = accounts->at("root_users").get<std::vector<std::string>>();
  if (roots.empty()) ruling.cannot_tell("no user has uid 0, not even root");
  for (const auto& name : roots) {
    if (name != "root") ruling.fault(fmt::format("{} has uid 0 too", name));
  }
  const auto& entry = accounts->at("users").at(user);
  if (!entry.at("exists").get<bool>()) {
    ruling.fault(fmt::format("there is no user {}", user));
    return std::move(ruling).close("", Persistence::kBoth);
  }
  const auto password = entry.at("password").get<std::string>();
  const auto rules = entry.at("sudo").get<std::vector<std::string>>();
  ruling.saw("accounts", fmt::format("{}: uid {}, password {}", user, entry.at("uid").get<int>(), password),
             "/etc/passwd, /etc/shadow");
  for (const auto& rule : rules) ruling.saw("accounts", rule, "sudo -l -U " + user);
  if (entry.at("uid").get<int>() < 1000) ruling.fault(fmt::format("{} has a system user's uid", user));
  if (password == "empty") ruling.fault(fmt::format("{} has an empty password", user));
  if (password == "set" && !subject.with().value("password", false))
    ruling.doubt(fmt::format("{} has a password", user));
  if (password == "unknown") ruling.cannot_tell(fmt::format("/etc/shadow does not know {}", user));
  if (rules.empty() && subject.with().value("sudo", true)) ruling.fault(fmt::format("{} can't become root", user));
  if (!entry.at("sudo_knows_host").get<bool>()) {
    ruling.doubt("sudo can't resolve the host's own name");
    ruling.trap("hostname-unresolved", "sudo looks the host's name up each time, and waits for name servers in vain",
                "put the name into /etc/hosts, at 127.0.1.1");
  }
  const auto& groups = accounts->at("groups");
  if (groups.contains("docker")) {
    for (const auto& member : groups.at("docker")) {
      ruling.doubt(fmt::format("{} is in group docker, which is equal to root", member.get<std::string>()));
    }
  }
  return std::move(ruling).close(fmt::format("{} can become root by: {}", user, fmt::join(rules, "; ")),
                                 Persistence::kBoth);
}

/// Where a parameter gets its value at boot; line 0: not from a file.
std::string place_of(const std::string& who, int line) {
  return line == 0 ? who : fmt::format("{}:{}", who, line);
}

/// with: {values: {key: wanted}}
Result<Judged> judge_sysctl(const Case& subject) {
  const auto& wanted = subject.with().at("values");
  if (wanted.empty()) return Error("audit.unseen", "the control names no kernel parameter");
  SENTINEL_TRY(const auto* seen, subject.seen("sysctl"));
  Ruling ruling(fmt::format("{} kernel parameters, in force and set at boot", wanted.size()));
  std::size_t absent = 0;
  for (const auto& [key, value] : wanted.items()) {
    const auto want = value.is_string() ? value.get<std::string>() : value.dump();
    const auto& entry = seen->at(key);
    const auto& live = entry.at("live");
    const auto& boot = entry.at("boot");
    if (live.is_null()) {
      ++absent;
      continue;
    }
    const auto now = live.get<std::string>();
    const auto place =
        boot.is_null() ? std::string() : place_of(boot.at("file").get<std::string>(), boot.at("line").get<int>());
    if (now != want) {
      ruling.saw("sysctl", fmt::format("{} = {}", key, now), "/proc/sys");
      ruling.fault(fmt::format("{} is {}", key, now), Persistence::kRuntimeOnly);
    }
    if (boot.is_null()) {
      ruling.fault(fmt::format("no file sets {}", key), Persistence::kBootOnly);
    } else if (boot.at("value") != want) {
      ruling.saw("sysctl", fmt::format("{} = {}", key, boot.at("value").get<std::string>()), place);
      ruling.fault(fmt::format("{} will be {} ({})", key, boot.at("value").get<std::string>(), place),
                   Persistence::kBootOnly);
      ruling.trap("sysctl-later-file", fmt::format("{} is read after the file that sets {}", place, key),
                  "take the line out, or say the same there");
    } else {
      ruling.saw("sysctl", fmt::format("{} = {}", key, want), place);
    }
    for (const auto& [interface, own] : entry.at("interfaces").items()) {
      // For these the kernel takes the greater, or both have to agree; a single interface can be laxer than "all".
      const bool stricter = own.get<std::string>() > want && key.ends_with("rp_filter");
      if (own != want && !stricter)
        ruling.saw("sysctl", fmt::format("{} of {} = {}", key, interface, own.get<std::string>()), "/proc/sys");
    }
  }
  if (absent == wanted.size()) ruling.cannot_tell("this kernel has none of them");
  return std::move(ruling).close("all as wanted", Persistence::kBoth);
}

/// with: {rules: [{path, rotate}]}
Result<Judged> judge_logs(const Case& subject) {
  SENTINEL_TRY(const auto* logs, subject.seen("logs"));
  SENTINEL_TRY(const auto* units, subject.seen("units"));
  Ruling ruling("logs are rotated daily, compressed, and bounded");
  judge_timer("logrotate", *units, ruling);
  for (const auto& wanted : subject.with().at("rules")) {
    const auto path = wanted.at("path").get<std::string>();
    if (!logs->at("rules").contains(path)) {
      ruling.fault(fmt::format("no rule covers {}", path));
      continue;
    }
    const auto& rule = logs->at("rules").at(path);
    ruling.saw("logs",
               fmt::format("{}: rotate {}, compress {}, daily {}", path, rule.at("rotate").get<int>(),
                           rule.at("compress").get<bool>(), rule.at("daily").get<bool>()),
               rule.at("file").get<std::string>());
    if (!rule.at("daily").get<bool>()) ruling.fault(fmt::format("{} is not rotated daily", path));
    if (!rule.at("compress").get<bool>()) ruling.fault(fmt::format("{} is not compressed", path));
    if (rule.at("rotate") != wanted.at("rotate"))
      ruling.fault(fmt::format("{} keeps {} files", path, rule.at("rotate").get<int>()));
  }
  return std::move(ruling).close("daily, compressed, bounded", Persistence::kBoth);
}

std::vector<ProbeOrder> only(const char* probe, json with = json::object()) {
  return {{probe, std::move(with)}};
}

json users_of(const json& with) {
  return {{"users", json::array({with.value("user", std::string())})}};
}

std::vector<ProbeOrder> ask_sysctl(const json& with) {
  auto keys = json::array();
  if (with.contains("values")) {
    for (const auto& [key, value] : with.at("values").items()) keys.push_back(key);
  }
  return only("sysctl", {{"keys", keys}});
}

}  // namespace

std::vector<Judgement> host_judgements() {
  return {{"deploy-user", [](const json& with) { return only("accounts", users_of(with)); }, judge_users},
          {"kernel-parameters", ask_sysctl, judge_sysctl},
          {"log-rotation",
           [](const json&) {
             return unit_orders({"logrotate.timer", "logrotate.service"}, "logs");
           },
           judge_logs},
          {"os-supported", [](const json&) { return only("os"); }, judge_os},
          {"ssh-user-key", [](const json& with) { return only("ssh.keys", users_of(with)); }, judge_keys}};
}

}  // namespace sentinel
