// SPDX-License-Identifier: Apache-2.0
// fail2ban: {version, jails: [name], jail: {name, maxretry, bantime, findtime, journalmatch: [[text]], logpath: [text],
//            actions: [text], ignore: [text], ignore_command: text, failregex: [text], ports: {action: the port it
//            closes}}, at_boot: {enabled, maxretry, bantime, findtime, ignore, ignore_command} as the files say (null:
//            not to be told), jail_local: bytes or null, jail_conf: bytes, sshd_process: name, ssh_port: 0 when
//            unknown, iptables, nft: whether the program is there, problem: why the configuration is bad}
// Asked over its socket in its own protocol (fail2ban/server/asyncserver.py); fail2ban-client would start Python.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "core/checks/byte_exchange.h"
#include "core/checks/fail2ban_files.h"
#include "core/checks/families.h"
#include "core/checks/pickle.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr const char* kSocket = "/run/fail2ban/fail2ban.sock";
constexpr std::string_view kEnd = "<F2B_END_COMMAND>";
constexpr std::chrono::milliseconds kLimit{3000};

constexpr const char* kRefused = "probe.refused";

/// The answer's value; fail2ban wraps it as (0, value), a refusal, kRefused, as (1, exception).
Result<json> ask_server(const std::vector<std::string>& words) {
  ByteQuestion question;
  question.socket = kSocket;
  question.bytes = pickle_words(words) + std::string(kEnd);
  question.whole = [](std::string_view so_far) { return so_far.ends_with(kEnd); };
  SENTINEL_TRY(auto answer, exchange_bytes(question, kLimit));
  if (answer.ends_with(kEnd)) answer.resize(answer.size() - kEnd.size());
  SENTINEL_TRY(const auto value, unpickle(answer));
  if (!value.is_array() || value.size() != 2 || !value.at(0).is_number() || (value.at(0) == 0 && has_object(value)))
    return Error("probe.failed", fmt::format("fail2ban's answer to '{}' can't be read", fmt::join(words, " ")));
  if (value.at(0) != 0) return Error(kRefused, fmt::format("fail2ban refuses '{}'", fmt::join(words, " ")));
  return value.at(1);
}

/// "('x', ['a', 'b'])" of `status`: pairs of a title and a value.
json field(const json& pairs, const std::string& title) {
  for (const auto& pair : pairs) {
    if (pair.is_array() && pair.size() == 2 && pair[0] == title) return pair[1];
  }
  return nullptr;
}

std::vector<std::string> jail_names(const json& status) {
  std::vector<std::string> out;
  const auto list = field(status, "Jail list");
  if (!list.is_string()) return out;
  std::string word;
  for (const char c : list.get<std::string>() + ",") {
    if (c == ',' || c == ' ') {
      if (!word.empty()) out.push_back(std::move(word));
      word.clear();
    } else {
      word += c;
    }
  }
  return out;
}

Result<json> look_at_jail(const std::string& name) {
  json out{{"name", name}};
  for (const char* property : {"maxretry", "bantime", "findtime", "journalmatch", "logpath", "actions", "failregex"}) {
    SENTINEL_TRY(out[property], ask_server({"get", name, property}));
  }
  SENTINEL_TRY(out["ignore"], ask_server({"get", name, "ignoreip"}));
  SENTINEL_TRY(auto command, ask_server({"get", name, "ignorecommand"}));
  const bool none = command.is_null() || command == false;
  out["ignore_command"] = none ? json("") : std::move(command);
  out["ports"] = json::object();
  for (const auto& action : out["actions"]) {
    const auto text = action.is_string() ? action.get<std::string>() : std::string();
    const auto port = ask_server({"get", name, "action", text, "port"});
    if (port.ok()) {
      out["ports"][text] = *port;
    } else if (port.error().code != kRefused) {  // an action that closes every port has no such property
      return port.error();
    }
  }
  return out;
}

/// A text as fail2ban lists it: words apart by blanks or commas.
json words_of(std::string text) {
  auto out = json::array();
  std::replace(text.begin(), text.end(), ',', ' ');
  std::istringstream words(text);
  std::string word;
  while (words >> word) out.push_back(word);
  return out;
}

Result<json> look_at_files(const std::string& jail, Reader& machine) {
  SENTINEL_TRY(const auto options, jail_options(jail, machine));
  const auto option = [&](const char* name) {
    const auto found = options.find(name);
    return found == options.end() ? std::string() : found->second;
  };
  const auto seconds = [&](const char* name) {
    const auto value = jail_seconds(option(name));
    return value ? json(*value) : json(nullptr);
  };
  const auto enabled = option("enabled");
  return json{{"enabled", enabled == "true" || enabled == "yes" || enabled == "on" || enabled == "1"},
              {"maxretry", seconds("maxretry")},
              {"bantime", seconds("bantime")},
              {"findtime", seconds("findtime")},
              {"ignore", words_of(option("ignoreip"))},
              {"ignore_command", option("ignorecommand")}};
}

Result<json> size_of(const std::string& path, Reader& machine) {
  SENTINEL_TRY(const auto status, machine.status(path));
  return status.type == FileType::kAbsent ? json(nullptr) : json(status.size);
}

Result<bool> is_there(const std::vector<std::string>& paths, Reader& machine) {
  for (const auto& path : paths) {
    SENTINEL_TRY(const auto status, machine.status(path));
    if (status.type != FileType::kAbsent) return true;
  }
  return false;
}

/// Sections that stand twice in jail.local: fail2ban refuses to start then.
std::string duplicate_section(const std::string& text) {
  std::vector<std::string> seen;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.size() < 3 || line.front() != '[') continue;
    const auto close = line.find(']');
    if (close == std::string::npos) continue;
    auto name = line.substr(1, close - 1);
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) return name;
    seen.push_back(std::move(name));
  }
  return {};
}

Result<Answer> look_at_fail2ban(const Inquiry& inquiry) {
  Reader& machine = inquiry.machine();
  const auto jail = inquiry.text("jail", "sshd");
  json out{{"running", false}, {"jails", json::array()}, {"jail", nullptr}, {"version", nullptr}, {"problem", ""}};
  SENTINEL_TRY(out["at_boot"], look_at_files(jail, machine));
  out["ssh_port"] = inquiry.facts.ssh_port;
  SENTINEL_TRY(out["jail_conf"], size_of("/etc/fail2ban/jail.conf", machine));
  SENTINEL_TRY(out["jail_local"], size_of("/etc/fail2ban/jail.local", machine));
  if (const auto local = machine.read_file("/etc/fail2ban/jail.local"); local.ok()) {
    if (const auto twice = duplicate_section(*local); !twice.empty())
      out["problem"] = fmt::format("jail.local has the section [{}] twice", twice);
  }
  SENTINEL_TRY(out["iptables"], is_there({"/usr/sbin/iptables", "/sbin/iptables"}, machine));
  SENTINEL_TRY(out["nft"], is_there({"/usr/sbin/nft", "/sbin/nft"}, machine));
  SENTINEL_TRY(const bool split, is_there({"/usr/lib/openssh/sshd-session", "/usr/libexec/sshd-session"}, machine));
  out["sshd_process"] = split ? "sshd-session" : "sshd";
  out["ssh_unit"] = inquiry.facts.ssh_unit;
  out["auth_log"] = inquiry.facts.has_auth_log;
  const auto pong = ask_server({"ping"});
  if (!pong.ok()) {
    if (pong.error().code != "probe.absent") return pong.error();
    return Answer{std::move(out), kSocket};
  }
  out["running"] = *pong == "pong";
  SENTINEL_TRY(const auto status, ask_server({"status"}));
  const auto names = jail_names(status);
  out["jails"] = names;
  if (const auto version = ask_server({"version"}); version.ok()) out["version"] = *version;
  if (std::find(names.begin(), names.end(), jail) != names.end()) {
    SENTINEL_TRY(out["jail"], look_at_jail(jail));
  }
  return Answer{std::move(out), kSocket};
}

}  // namespace

HostProbes fail2ban_probes() {
  return {{"fail2ban", look_at_fail2ban}};
}

}  // namespace sentinel
