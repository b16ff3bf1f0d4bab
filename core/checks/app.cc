// SPDX-License-Identifier: Apache-2.0
// app:      {home: {type, owner, group, mode}, current: {target, exists}, release, changeable: [{path, who}],
// environment:
//            {path, mode, owner, group, values: {NAME: shape}} | null, unit, active, restart, main: process | null,
//            main_environment: {NAME: shape}}
// app.http: {health: status, open: status without a token, forged: status with a wrong one}
// secret.age: {seen_since: since when the secret (order: app, name) is known to have its value, since: when it got it |
//            null: no older value is known} (RFC 3339), by the environments that releases were started with
// logs:     {rules: {path: {file, daily, rotate, compress, create}}, rotated_ns}
#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <map>
#include <sstream>

#include "core/base/clock.h"
#include "core/checks/families.h"
#include "core/checks/fetch.h"
#include "core/checks/process_facts.h"
#include "core/checks/secret_shape.h"
#include "core/resources/accounts.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr std::size_t kMostEntries = 5000;

Result<json> path_json(const std::string& path, const Accounts& known, Reader& machine) {
  SENTINEL_TRY(const auto status, machine.status(path));
  const bool there = status.type != FileType::kAbsent;
  return json{{"exists", there},
              {"owner", there ? known.user_name(status.uid) : ""},
              {"group", there ? known.group_name(status.gid) : ""},
              {"mode", fmt::format("{:04o}", status.mode)}};
}

/// Who but root can change an entry; empty: nobody. Modes of links mean nothing.
std::string who_can_change(const FileStatus& status, const Accounts& known) {
  if (status.type == FileType::kLink) return {};
  if (status.uid != 0) return known.user_name(status.uid);
  if ((status.mode & 02) != 0) return "anybody";
  return (status.mode & 020) != 0 && status.gid != 0 ? "group " + known.group_name(status.gid) : std::string();
}

/// `path` and what is below it that somebody but root can change; links are not followed.
Result<void> find_open(const std::string& path, const Accounts& known, Reader& machine, std::size_t& seen, json& out) {
  if (++seen > kMostEntries) return Error("probe.too-large", path + " is one entry more than an audit looks at");
  SENTINEL_TRY(const auto status, machine.status(path));
  if (status.type == FileType::kAbsent) return {};
  if (const auto who = who_can_change(status, known); !who.empty()) out.push_back({{"path", path}, {"who", who}});
  if (status.type != FileType::kDirectory) return {};
  SENTINEL_TRY(const auto names, machine.list(path));
  for (const auto& name : names) SENTINEL_CHECK(find_open(path + "/" + name, known, machine, seen, out));
  return {};
}

/// NAME=value lines of an environment file; quotes around a value are not part of it.
json values_in(const std::string& text, const Secret& host_key) {
  auto out = json::object();
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    const auto equals = line.find('=');
    if (equals == std::string::npos || line.front() == '#') continue;
    std::string_view value = std::string_view(line).substr(equals + 1);
    if (value.size() >= 2 && (value.front() == '\'' || value.front() == '"') && value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    out[line.substr(0, equals)] = secret_shape(value, host_key);
  }
  return out;
}

std::string property(const std::string& shown, const std::string& name) {
  std::istringstream lines(shown);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with(name + "=")) return line.substr(name.size() + 1);
  }
  return {};
}

Result<void> look_at_unit(const std::string& unit, const Inquiry& inquiry, json& out) {
  CommandLine command;
  command.argv = {"systemctl", "show", "--property=MainPID,ActiveState,UnitFileState,Restart,NRestarts", "--", unit};
  SENTINEL_TRY(const auto result, inquiry.machine().query(command));
  if (result.status != 0) return Error("probe.failed", "systemctl show: " + result.reason());
  out["active"] = property(result.output, "ActiveState");
  out["enabled"] = property(result.output, "UnitFileState");
  out["restart"] = property(result.output, "Restart");
  out["restarts"] = property(result.output, "NRestarts");
  const auto text = property(result.output, "MainPID");
  int pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  if (pid <= 0) return {};
  SENTINEL_TRY(out["main"], process_facts(pid, inquiry.machine()));
  SENTINEL_TRY(out["main_environment"],
               environment_shape(pid, inquiry.look.surroundings().host_key, inquiry.machine()));
  return {};
}

Result<Answer> look_at_app(const Inquiry& inquiry) {
  const auto app = inquiry.text("app");
  if (app.empty() || app.find('/') != std::string::npos) return Error("probe.order", "no application was named");
  Reader& machine = inquiry.machine();
  SENTINEL_TRY(const auto* known, accounts(inquiry.look));
  const std::string home = "/opt/" + app;
  json out{{"release", ""},          {"changeable", json::array()},
           {"environment", nullptr}, {"unit", ""},
           {"active", ""},           {"enabled", ""},
           {"restart", ""},          {"restarts", ""},
           {"main", nullptr},        {"main_environment", json::object()}};
  SENTINEL_TRY(out["home"], path_json(home, *known, machine));
  const auto target = machine.read_link(home + "/current");
  out["current"] = {{"target", target.value_or("")}, {"exists", false}};
  std::size_t seen = 0;
  SENTINEL_CHECK(find_open(home, *known, machine, seen, out["changeable"]));
  if (target.ok()) {
    const auto id = target->substr(target->rfind('/') + 1);
    const auto place = target->starts_with('/') ? *target : home + "/" + *target;
    SENTINEL_TRY(const auto status, machine.status(place));
    out["current"]["exists"] = status.type == FileType::kDirectory;
    out["release"] = id;
    const auto file = fmt::format("/var/lib/sentinel/releases/{}/{}/environment", app, id);
    if (const auto text = machine.read_file(file); text.ok()) {
      SENTINEL_TRY(out["environment"], path_json(file, *known, machine));
      out["environment"]["path"] = file;
      out["environment"]["values"] = values_in(*text, inquiry.look.surroundings().host_key);
    }
    out["unit"] = fmt::format("{}-{}.service", app, id);
    SENTINEL_CHECK(look_at_unit(out["unit"].get<std::string>(), inquiry, out));
  }
  return Answer{std::move(out), home};
}

Result<Answer> look_at_http(const Inquiry& inquiry) {
  const auto found = inquiry.with.find("port");
  const int port = found != inquiry.with.end() && found->is_number() ? found->get<int>() : 8080;
  const auto base = fmt::format("http://127.0.0.1:{}", port);
  const auto socket = inquiry.text("socket");
  SENTINEL_TRY(const auto health,
               fetch_status(request_with({}, base + inquiry.text("health", "/health/ready"), socket)));
  SENTINEL_TRY(const auto open, fetch_status(request_with({}, base + "/v1/models", socket)));
  SENTINEL_TRY(const auto forged,
               fetch_status(request_with("sentinel-check-forged-token", base + "/v1/models", socket)));
  return Answer{{{"health", health}, {"open", open}, {"forged", forged}}, socket.empty() ? base : socket};
}

Result<Answer> look_at_secret_age(const Inquiry& inquiry) {
  const auto app = inquiry.text("app");
  const auto name = inquiry.text("name");
  if (app.empty() || app.find('/') != std::string::npos || name.empty())
    return Error("probe.order", "no secret of an application was named");
  Reader& machine = inquiry.machine();
  const auto place = "/var/lib/sentinel/releases/" + app;
  SENTINEL_TRY(const auto releases, machine.list(place));
  std::map<std::int64_t, std::string, std::greater<>> values;  // the newest first
  for (const auto& id : releases) {
    const auto file = place + "/" + id + "/environment";
    const auto text = machine.read_file(file);
    if (!text.ok()) continue;
    const auto shapes = values_in(*text, inquiry.look.surroundings().host_key);
    if (!shapes.contains(name)) continue;
    SENTINEL_TRY(const auto status, machine.status(file));
    values[status.changed_ns] = shapes.at(name).at("fingerprint").get<std::string>();
  }
  if (values.empty()) return Error("probe.absent", fmt::format("no release was started with {}", name));
  json out{{"seen_since", ""}, {"since", nullptr}};
  for (const auto& [time, value] : values) {
    if (value != values.begin()->second) {
      out["since"] = out["seen_since"];
      break;
    }
    out["seen_since"] = to_rfc3339(std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds(time))));
  }
  return Answer{std::move(out), place};
}

void read_directive(const std::string& word, std::istringstream& words, json& rule) {
  if (word == "daily" || word == "hourly" || word == "weekly" || word == "monthly" || word == "yearly" ||
      word == "size") {
    rule["daily"] = word == "daily";  // the last one counts
  } else if (word == "compress" || word == "nocompress") {
    rule["compress"] = word == "compress";
  } else if (word == "rotate") {
    int count = 0;
    words >> count;
    rule["rotate"] = count;
  } else if (word == "create") {
    std::string mode;
    words >> mode;
    rule["create"] = mode;
  }
}

/// The rules of one logrotate file (logrotate(8)): paths before a brace, directives inside. A path that had a rule
/// before keeps it: logrotate skips the second one.
void read_rules(const std::string& text, const std::string& file, json& out) {
  std::istringstream lines(text);
  std::string line;
  std::vector<std::string> paths;
  json rule;
  bool inside = false;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string word;
    if (!(words >> word) || word.front() == '#') continue;
    if (inside && word == "}") {
      for (const auto& path : paths) {
        if (!out.contains(path)) out[path] = rule;
      }
      paths.clear();
      inside = false;
    } else if (inside) {
      read_directive(word, words, rule);
    } else {
      do {
        if (word == "{") {
          inside = true;
        } else {
          std::erase(word, '"');
          paths.push_back(word);
        }
      } while (words >> word);
      rule = {{"file", file}, {"daily", false}, {"rotate", 0}, {"compress", false}, {"create", ""}};
    }
  }
}

Result<Answer> look_at_logs(const Inquiry& inquiry) {
  Reader& machine = inquiry.machine();
  json out{{"rules", json::object()}};
  SENTINEL_TRY(const auto names, machine.list("/etc/logrotate.d"));
  for (const auto& name : names) {
    const auto file = "/etc/logrotate.d/" + name;
    SENTINEL_TRY(const auto text, machine.read_file(file));
    read_rules(text, file, out["rules"]);
  }
  SENTINEL_TRY(const auto status, machine.status("/var/lib/logrotate/status"));
  out["rotated_ns"] = status.type == FileType::kAbsent ? 0 : status.changed_ns;
  return Answer{std::move(out), "/etc/logrotate.d, /var/lib/logrotate/status"};
}

}  // namespace

HostProbes app_probes() {
  return {{"app", look_at_app}, {"app.http", look_at_http}, {"logs", look_at_logs}, {"secret.age", look_at_secret_age}};
}

}  // namespace sentinel
