// SPDX-License-Identifier: Apache-2.0
// Planning for kind `sshd`: the drop-in, the lines that win over it, the socket, and the reload.
#include <fmt/format.h>

#include <string_view>

#include "core/base/file.h"
#include "core/resources/file.h"
#include "core/resources/foreign_file.h"
#include "core/resources/names.h"
#include "core/resources/sshd.h"
#include "core/resources/sshd_files.h"
#include "core/resources/sshd_settings.h"

namespace sentinel {
namespace {

constexpr const char* kIncludeLine = "Include /etc/ssh/sshd_config.d/*.conf";

std::string place_of(const SshdOverride& line) {
  return fmt::format("{} ({}:{}{})", line.value, line.file, line.line,
                     line.match.empty() ? "" : ", for Match " + line.match);
}

/// Edits one file that isn't ours.
Result<void> edit_other(const std::string& path, const PathState& other, const SshdConfig& want, const SshdState& now,
                        Look& look, Step& step, std::vector<Action>& undo) {
  ForeignEdit edit{path, {}, "Sentinel: " + want.path + " says otherwise", ""};
  for (const auto& line : now.overrides) {
    if (line.file == path) edit.lines.push_back(line.line);
  }
  if (!now.included && path == kSshdMainFile) {
    edit.head = fmt::format("{}\n", kIncludeLine);
    step.changes.push_back({"include", "", fmt::format("{} at the top of {}", kIncludeLine, path), false});
  }
  return edit_foreign(edit, other, look, step, undo);
}

std::string socket_text(const std::string& port) {
  return fmt::format(
      "# Managed by Sentinel: ssh.socket listens where sshd's configuration "
      "says.\n[Socket]\nListenStream=\nListenStream={}\n",
      port);
}

/// "[::]:22 (Stream)" listens on 22 and nothing else.
bool listens_only_on(const std::string& listen, const std::string& port) {
  constexpr std::string_view kKind = " (Stream)";
  std::size_t entries = 0;
  std::size_t fitting = 0;
  for (auto at = listen.find(kKind); at != std::string::npos; at = listen.find(kKind, at + 1)) {
    ++entries;
    if (listen.substr(0, at).ends_with(":" + port)) ++fitting;
  }
  return entries > 0 && fitting == entries;
}

/// ssh.socket can't be restarted while the service holds its descriptors; stopping the service leaves sessions alone
/// (KillMode=process), and the next connection starts it with what is on disk then. Starts that follow each other
/// within seconds, a change and its revert, must not add up to systemd's start limit: the socket would refuse
/// everybody.
void restart_socket(const SshdState& now, std::vector<Action>& actions, bool may_fail) {
  actions.push_back(RunCommand{{"systemctl", "daemon-reload"}, 60, may_fail});
  actions.push_back(RunCommand{{"systemctl", "stop", now.unit}, 60, may_fail});
  actions.push_back(RunCommand{{"systemctl", "reset-failed", now.unit, "ssh.socket"}, 60, true});
  actions.push_back(RunCommand{{"systemctl", "restart", "ssh.socket"}, 60, may_fail});
}

/// Port 22 is what the socket has by itself.
Result<void> plan_drop_in(const std::string& port, const SshdState& now, Look& look, Step& step) {
  if (port == "22" && now.socket.drop_in.exists()) {
    step.actions.push_back(RemoveFile{kSshdSocketDropIn});
    return {};
  }
  SENTINEL_TRY(const auto content, look.keep(socket_text(port)));
  step.actions.push_back(MakeDirectory{parent_directory(kSshdSocketDropIn), "root", "root", 0755});
  step.actions.push_back(WriteFile{kSshdSocketDropIn, content, "root", "root", 0644});
  return {};
}

Result<void> plan_socket(const SshdConfig& want, const SshdState& now, Look& look, Step& step,
                         std::vector<Action>& undo) {
  const auto port = want.effective.find("port");
  if (!now.socket.enabled || port == want.effective.end() || listens_only_on(now.socket.listen, port->second))
    return {};
  step.changes.push_back({"ssh.socket", now.socket.listen, "port " + port->second, false});
  std::vector<Action> back;
  if (!now.socket.generated) {
    SENTINEL_CHECK(plan_drop_in(port->second, now, look, step));
    back = undo_path(kSshdSocketDropIn, now.socket.drop_in);
    if (!now.socket.drop_in.exists()) back.push_back(RemoveDirectory{parent_directory(kSshdSocketDropIn)});
  }
  restart_socket(now, step.actions, false);
  undo.insert(undo.end(), back.begin(), back.end());
  restart_socket(now, undo, true);
  return {};
}

/// Values sshd reports otherwise although nothing found explains it.
Result<void> check_explained(const SshdConfig& want, const SshdState& now, const Step& step) {
  if (!step.actions.empty()) return {};
  if (!now.problem.empty()) {
    return Error("sshd.refuses", fmt::format("sshd refuses its configuration: {}", now.problem),
                 "correct that file first; nothing was changed");
  }
  for (const auto& [keyword, value] : want.effective) {
    const auto effective = now.effective.find(keyword);
    if (effective == now.effective.end())
      return Error("sshd.unknown-keyword", fmt::format("this sshd does not report '{}'", keyword));
    if (same_value(keyword, effective->second, value)) continue;
    return Error("sshd.not-effective",
                 fmt::format("{} should be '{}', but sshd -T says '{}', and no line of its configuration explains that",
                             keyword, value, effective->second),
                 fmt::format("does {} set {}?", want.path, keyword));
  }
  return {};
}

}  // namespace

Result<Step> plan(const SshdConfig& want, const SshdState& now, Look& look) {
  SENTINEL_TRY(auto step, plan(sshd_file(want), now.file, look));
  if (now.installed) {
    std::vector<Action> undo = std::get<std::vector<Action>>(step.undo);
    for (const auto& line : now.overrides) {
      const auto wanted = want.effective.find(line.keyword);
      step.changes.push_back(
          {line.keyword, place_of(line), wanted == want.effective.end() ? "" : wanted->second, false});
    }
    for (const auto& [path, other] : now.others) SENTINEL_CHECK(edit_other(path, other, want, now, look, step, undo));
    SENTINEL_CHECK(plan_socket(want, now, look, step, undo));
    SENTINEL_CHECK(check_explained(want, now, step));
    step.undo = std::move(undo);
    if (!now.stale.changed_path.empty()) {
      step.changes.push_back({"running sshd",
                              fmt::format("read its configuration before {} changed", now.stale.changed_path),
                              "runs with it", false});
    }
  }
  if (step.changes.empty()) return step;
  step.risk = Risk::kLockout;
  // Started by its socket, sshd doesn't survive a reload (seen with OpenSSH 10); a restart keeps sessions, too.
  const auto kind = now.socket.enabled ? Effect::Kind::kRestart : Effect::Kind::kReload;
  if (!now.unit.empty()) step.effects.push_back({kind, now.unit});
  return step;
}

std::optional<ResourceBody> restored(const SshdConfig& managed, const SshdState& then) {
  const bool in_order = then.installed && then.problem.empty() && then.overrides.empty();
  if (!in_order || (then.file.exists() && then.file.type != "file"))
    return restored_path(managed.path, then.file, FileFormat::kPlain);
  return SshdConfig{managed.path, {then.file.content, false, then.file.size}, then.effective};
}

}  // namespace sentinel
