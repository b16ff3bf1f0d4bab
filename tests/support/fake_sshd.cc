// SPDX-License-Identifier: Apache-2.0
// What the daemon last read is remembered in a file of the fake, so that undoing and repeating behave as on a host.
#include "tests/support/fake_sshd.h"

#include <fmt/format.h>
#include <time.h>

#include <map>
#include <utility>

#include "core/resources/sshd_settings.h"

namespace sentinel {
namespace {

constexpr const char* kLoaded = "/run/fake-sshd-loaded";
constexpr const char* kListen = "/run/fake-ssh-socket";

CommandResult report(FakeSystem& machine, const CommandLine&) {
  std::map<std::string, std::string> values{
      {"port", ""},          {"permitrootlogin", "prohibit-password"}, {"passwordauthentication", "yes"},
      {"maxauthtries", "6"}, {"kbdinteractiveauthentication", "yes"},  {"pubkeyauthentication", "yes"},
      {"allowusers", ""}};
  std::map<std::string, bool> set;
  const auto settings = read_sshd_settings(machine);
  for (const auto& setting : settings->settings) {
    if (setting.keyword == "broken") return {255, "", setting.file + ": line 1: Bad configuration option: broken\n"};
    const auto known = values.find(setting.keyword);
    if (known == values.end() || !setting.match.empty()) continue;
    if (is_cumulative(setting.keyword)) {
      known->second += (known->second.empty() ? "" : " ") + setting.value;
    } else if (!std::exchange(set[setting.keyword], true)) {
      known->second = setting.value;
    }
  }
  if (values["port"].empty()) values["port"] = "22";
  CommandResult result;
  for (const auto& [keyword, value] : values) {
    std::string word;
    for (const char c : value + " ") {
      if (c != ' ' || !is_cumulative(keyword)) {
        word += c;
      } else if (!word.empty()) {
        result.output += keyword + " " + std::exchange(word, {}) + "\n";
      }
    }
    if (!is_cumulative(keyword)) result.output += keyword + " " + value + "\n";
  }
  return result;
}

std::string timestamp(std::int64_t nanoseconds) {
  const time_t seconds = nanoseconds / 1'000'000'000;

  struct tm parts {};

  ::gmtime_r(&seconds, &parts);
  return fmt::format("Sat {:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06} UTC", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, nanoseconds / 1000 % 1'000'000);
}

CommandResult show(FakeSystem& machine, const CommandLine&) {
  const auto loaded = machine.status(kLoaded)->changed_ns;
  return {0,
          fmt::format("LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nNeedDaemonReload="
                      "no\nStateChangeTimestamp={}\n",
                      timestamp(loaded)),
          ""};
}

CommandResult load(FakeSystem& machine, const CommandLine&) {
  machine.put_file(kLoaded, "");
  return {};
}

CommandResult restart_socket(FakeSystem& machine, const CommandLine&) {
  const auto text =
      machine.read_file("/etc/systemd/system/ssh.socket.d/60-sentinel.conf").value_or("ListenStream=22\n");
  const auto at = text.rfind("ListenStream=") + 13;
  machine.put_file(kListen, text.substr(at, text.find('\n', at) - at));
  return {};
}

}  // namespace

void put_sshd(FakeSystem& machine) {
  machine.put_file("/usr/sbin/sshd", "binary", {0, 0, 0755});
  machine.put_file("/usr/lib/systemd/system/ssh.service", "");
  machine.put_directory("/run/sshd");
  machine.put_file(kSshdMainFile,
                   "# main\nInclude /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\nUsePAM yes\n");
  machine.put_file("/etc/ssh/sshd_config.d/50-cloud-init.conf", "PasswordAuthentication yes\n");
  machine.put_file(kLoaded, "");
  machine.put_file(kListen, "22");
  machine.on({"/usr/sbin/sshd", "-T"}, report);
  machine.on({"systemctl", "show"}, show);
  machine.on({"systemctl", "show", "--property=Listen"}, [](FakeSystem& fake, const CommandLine&) {
    return CommandResult{0, fmt::format("[::]:{} (Stream)\n", fake.bytes(kListen)), ""};
  });
  machine.on({"systemctl", "try-reload-or-restart"}, load);
  machine.on({"systemctl", "try-restart"}, load);
  machine.on({"systemctl", "daemon-reload"}, CommandResult{});
  machine.on({"systemctl", "stop"}, load);
  machine.on({"systemctl", "restart", "ssh.socket"}, restart_socket);
}

void enable_ssh_socket(FakeSystem& machine) {
  machine.put_link("/etc/systemd/system/sockets.target.wants/ssh.socket", "/usr/lib/systemd/system/ssh.socket");
}

}  // namespace sentinel
