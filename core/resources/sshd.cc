// SPDX-License-Identifier: Apache-2.0
// Observing: which lines win, what sshd says, what the daemon has loaded. The plan is in sshd_plan.cc.
#include "core/resources/sshd.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/file.h"
#include "core/facts/ssh_facts.h"
#include "core/model/json_fields.h"
#include "core/resources/file.h"
#include "core/resources/foreign_file.h"
#include "core/resources/names.h"
#include "core/resources/sshd_files.h"
#include "core/resources/sshd_report.h"
#include "core/resources/sshd_settings.h"
#include "core/resources/units.h"

namespace sentinel {
namespace {

Result<const SshdSettings*> sshd_settings(Look& look) {
  return look.shared<SshdSettings>([&] { return read_sshd_settings(look.machine()); });
}

/// The words of a cumulative keyword's line that aren't wanted.
bool adds_unwanted(const std::string& value, const std::string& wanted) {
  const auto has = [&](const std::string& word) {
    return (" " + wanted + " ").find(" " + word + " ") != std::string::npos;
  };
  std::size_t at = 0;
  while (at < value.size()) {
    const auto end = std::min(value.find(' ', at), value.size());
    if (end > at && !has(value.substr(at, end - at))) return true;
    at = end + 1;
  }
  return false;
}

/// "0.0.0.0:2222" and "[::]:2222" open a port of their own.
bool opens_other_port(const SshdSetting& setting, const std::string& port) {
  if (setting.keyword != "listenaddress") return false;
  const auto& value = setting.value;
  const auto colon = value.rfind(':');
  if (colon == std::string::npos || value.ends_with(']')) return false;
  const bool bare_v6 = value.front() != '[' && value.find(':') != colon;
  return !bare_v6 && value.substr(colon + 1) != port;
}

std::vector<SshdOverride> find_overrides(const SshdConfig& want, const SshdSettings& all) {
  std::vector<SshdOverride> found;
  bool before_ours = true;
  const auto place = std::find(all.order.begin(), all.order.end(), want.path);
  for (const auto& setting : all.settings) {
    if (setting.file == want.path) {
      before_ours = false;
      continue;
    }
    // While ours isn't there yet its place is told by its name.
    if (place == all.order.end() && parent_directory(setting.file) == parent_directory(want.path) &&
        setting.file > want.path) {
      before_ours = false;
    }
    if (place == all.order.end() && setting.file == kSshdMainFile && setting.line > include_line(all, want.path))
      before_ours = false;
    const auto wanted = want.effective.find(setting.keyword);
    const auto port = want.effective.find("port");
    const bool foreign_port = port != want.effective.end() && opens_other_port(setting, port->second);
    if (wanted == want.effective.end() && !foreign_port) continue;
    bool wins = foreign_port;
    if (wanted != want.effective.end()) {
      wins = wins || (is_cumulative(setting.keyword) ? adds_unwanted(setting.value, wanted->second)
                                                     : (before_ours || !setting.match.empty()) &&
                                                           !same_value(setting.keyword, setting.value, wanted->second));
    }
    if (wins) found.push_back({setting.keyword, setting.value, setting.file, setting.line, setting.match});
  }
  return found;
}

/// The file among all that sshd reads that changed last, if that was after `since_ns`.
Result<std::string> changed_after(std::int64_t since_ns, const SshdConfig& want, const SshdSettings& all, Look& look) {
  std::vector<std::string> paths = all.order;
  paths.insert(paths.end(), all.directories.begin(), all.directories.end());
  paths.push_back(want.path);
  std::string changed;
  for (const auto& path : paths) {
    SENTINEL_TRY(const auto status, look.machine().status(path));
    if (status.type == FileType::kAbsent || status.changed_ns <= since_ns) continue;
    since_ns = status.changed_ns;
    changed = path;
  }
  return changed;
}

Result<SshdSocket> observe_socket(const SshdConfig& want, Look& look) {
  SshdSocket socket;
  socket.enabled = ssh_socket_enabled(look.machine());
  if (!socket.enabled || want.effective.count("port") == 0) return socket;
  SENTINEL_TRY(const auto generator, look.machine().status(kSshdSocketGenerator));
  socket.generated = generator.type != FileType::kAbsent;
  SENTINEL_TRY(socket.drop_in, observe_path({kSshdSocketDropIn, "root", "root", false, false}, look));
  CommandLine command;
  command.argv = {"systemctl", "show", "--property=Listen", "--value", "ssh.socket"};
  SENTINEL_TRY(const auto shown, look.machine().query(command));
  for (const char c : shown.output) socket.listen += c == '\n' ? ' ' : c;
  while (socket.listen.ends_with(' ')) socket.listen.pop_back();
  return socket;
}

Result<void> check(const SshdConfig& want) {
  SENTINEL_CHECK(check_path(want.path));
  for (const auto& [keyword, value] : want.effective) {
    SENTINEL_CHECK(check_line("an sshd value", keyword + value));
    const bool lower_case = std::none_of(keyword.begin(), keyword.end(), [](char c) { return c < 'a' || c > 'z'; });
    if (keyword.empty() || !lower_case) {
      return Error("resource.bad-sshd", fmt::format("'{}' is not a keyword of sshd -T (lower-case letters)", keyword));
    }
  }
  return {};
}

}  // namespace

SENTINEL_JSON_FIELDS(SshdOverride, keyword, value, file, line, match)
SENTINEL_JSON_FIELDS(SshdSocket, enabled, listen, drop_in, generated)

void to_json(nlohmann::json& json, const SshdStaleness& value) {
  json = {{"changed_path", value.changed_path}};
}

void from_json(const nlohmann::json& json, SshdStaleness& value) {
  json.at("changed_path").get_to(value.changed_path);
}

SENTINEL_JSON_FIELDS(SshdState, file, installed, included, unit, problem, effective, overrides, others, socket, stale)

File sshd_file(const SshdConfig& want) {
  const auto ensure = want.content.digest.empty() ? Ensure::kAbsent : Ensure::kPresent;
  return File{want.path, want.content, "root", "root", 0644, ensure, FileFormat::kPlain};
}

Result<SshdState> observe(const SshdConfig& want, Look& look) {
  SENTINEL_CHECK(check(want));
  SshdState state;
  SENTINEL_TRY(state.file, observe(sshd_file(want), look));
  SENTINEL_TRY(const auto* report, sshd_report(look));
  state.installed = report->installed;
  if (!state.installed) return state;
  state.problem = report->problem;
  for (const auto& [keyword, wanted] : want.effective) {
    const auto value = report->values.find(keyword);
    if (value != report->values.end()) state.effective[keyword] = value->second;
  }
  SENTINEL_TRY(const auto* all, sshd_settings(look));
  state.included = include_line(*all, want.path) != 0;
  state.overrides = find_overrides(want, *all);
  for (const auto& line : state.overrides) {
    SENTINEL_TRY(state.others[line.file], observe_foreign(line.file, look));
  }
  if (!state.included) {
    SENTINEL_TRY(state.others[kSshdMainFile], observe_foreign(kSshdMainFile, look));
  }
  SENTINEL_TRY(state.socket, observe_socket(want, look));
  state.unit = ssh_unit(look.machine());
  if (!state.unit.empty()) {
    SENTINEL_TRY(const auto unit, unit_status(look, state.unit));
    if (unit.is_active() && unit.changed_ns != 0) {
      SENTINEL_TRY(state.stale.changed_path, changed_after(unit.changed_ns, want, *all, look));
    }
  }
  return state;
}

}  // namespace sentinel
