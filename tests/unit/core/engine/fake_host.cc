// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/core/engine/fake_host.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>

#include "core/base/digest.h"
#include "tests/support/fake_accounts.h"

namespace sentinel {
namespace {

constexpr const char* kStatus = "/var/lib/dpkg/status";

// Running units are files here; their bytes are the time of the last change of state.
std::string running_file(const std::string& unit) {
  return "/run/fake/units/" + unit;
}

std::string wants_file(const std::string& unit) {
  return "/etc/systemd/system/multi-user.target.wants/" + unit;
}

bool exists(const FakeSystem& machine, const std::string& path) {
  return machine.tree().count(path) > 0;
}

std::string unit_file(const FakeSystem& machine, const std::string& unit) {
  for (const char* directory : {"/etc/systemd/system/", "/lib/systemd/system/"}) {
    if (exists(machine, directory + unit)) return directory + unit;
  }
  return "";
}

// What a unit has read when it was last started or reloaded: the test's way to see that it runs with today's file.
void read_configuration(FakeSystem& machine, const std::string& unit) {
  const std::string path = unit == "sshd.service" ? "/etc/ssh/banner" : "/etc/app/app.conf";
  machine.put_file("/run/fake/loaded/" + unit, exists(machine, path) ? machine.bytes(path) : "");
}

void mark_running(FakeSystem& machine, const std::string& unit) {
  read_configuration(machine, unit);
  machine.put_file(running_file(unit), "");
  machine.put_file(running_file(unit), std::to_string(machine.now_ns()));
}

std::string shown_time(std::int64_t ns) {
  const time_t seconds = ns / 1'000'000'000;

  struct tm parts {};

  gmtime_r(&seconds, &parts);
  return fmt::format("Sat {:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06} UTC", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, ns % 1'000'000'000 / 1000);
}

CommandResult show(FakeSystem& machine, const CommandLine& command) {
  auto name = std::find(command.argv.begin(), command.argv.end(), "--");
  std::string out;
  for (++name; name != command.argv.end(); ++name) {
    const auto file = unit_file(machine, *name);
    const bool active = is_running(machine, *name);
    const bool reload = !file.empty() && exists(machine, "/run/fake/daemon-reload") &&
                        machine.tree().at(file).changed_ns > machine.tree().at("/run/fake/daemon-reload").changed_ns;
    const std::string changed = active ? shown_time(std::stoll(machine.bytes(running_file(*name)))) : "";
    out += fmt::format(
        "LoadState={}\nActiveState={}\nSubState=x\nUnitFileState={}\nNeedDaemonReload={}\nStateChangeTimestamp={}\n\n",
        file.empty() && !active ? "not-found" : "loaded", active ? "active" : "inactive",
        file.empty()                         ? ""
        : exists(machine, wants_file(*name)) ? "enabled"
                                             : "disabled",
        reload ? "yes" : "no", changed);
  }
  return {0, out, ""};
}

CommandResult act_on_unit(FakeSystem& machine, const CommandLine& command) {
  const auto& verb = command.argv.at(1);
  if (verb == "daemon-reload") {
    machine.put_file("/run/fake/daemon-reload", "");
    return {0, "", ""};
  }
  const auto& unit = command.argv.back();
  const auto file = unit_file(machine, unit);
  const bool active = is_running(machine, unit);
  // Without its file, too: systemctl 252 says that the unit does not exist, and removes the link.
  if (verb == "disable") machine.erase(wants_file(unit));
  if (file.empty() && !active) return {5, "", "Unit " + unit + " not found.\n"};
  if (verb == "start" || (verb.starts_with("try-") && active)) mark_running(machine, unit);
  if (verb == "stop") {
    machine.erase(running_file(unit));
    machine.erase("/run/fake/loaded/" + unit);
  }
  if (verb == "enable") machine.put_link(wants_file(unit), file);
  return {0, "", ""};
}

struct FakePackage {
  std::string name;
  std::vector<std::pair<std::string, std::string>> files;
  std::string unit;
};

const std::vector<FakePackage>& archive() {
  static const std::vector<FakePackage> packages{
      {"caddy",
       {{"/lib/systemd/system/caddy.service", "[Service]\n"}, {"/etc/caddy/Caddyfile", ":80\n"}},
       "caddy.service"},
      {"redis",
       {{"/lib/systemd/system/redis.service", "[Service]\n"}, {"/etc/redis/redis.conf", "port 6379\n"}},
       "redis.service"}};
  return packages;
}

std::string stanza(const std::string& name, const std::string& status) {
  return fmt::format("Package: {}\nStatus: install ok {}\nArchitecture: amd64\nVersion: 1\n\n", name, status);
}

CommandResult install(FakeSystem& machine, const CommandLine& command) {
  for (const auto& package : archive()) {
    if (std::find(command.argv.begin(), command.argv.end(), package.name) == command.argv.end()) continue;
    auto status = machine.bytes(kStatus);
    if (status.find("Package: " + package.name + "\n") != std::string::npos) continue;
    machine.put_file(kStatus, status + stanza(package.name, "installed"));
    for (const auto& [path, text] : package.files) machine.put_file(path, text);
    if (!exists(machine, "/usr/sbin/policy-rc.d")) mark_running(machine, package.unit);
  }
  return {0, "", ""};
}

// "name:amd64" to purge; "name" to remove, which leaves configuration files.
CommandResult take_away(FakeSystem& machine, const CommandLine& command) {
  for (const auto& package : archive()) {
    const auto named = [&](const std::string& word) {
      return std::find(command.argv.begin(), command.argv.end(), word) != command.argv.end();
    };
    const bool purges = named(package.name + ":amd64");
    if (!purges && !named(package.name)) continue;
    auto status = machine.bytes(kStatus);
    const auto from = status.find("Package: " + package.name + "\n");
    status.erase(from, status.find("\n\n", from) + 2 - from);
    machine.put_file(kStatus, status);
    for (const auto& [path, text] : package.files) {
      const bool is_configuration = path.starts_with("/etc/");
      if (is_configuration && !purges) continue;
      machine.erase(path);
      if (is_configuration && machine.list(parent_directory(path))->empty()) machine.erase(parent_directory(path));
    }
    machine.erase(running_file(package.unit));
    machine.erase("/run/fake/loaded/" + package.unit);
    machine.erase(wants_file(package.unit));
  }
  return {0, "", ""};
}

void furnish_packages(FakeSystem& machine) {
  machine.put_file(kStatus, stanza("base-files", "installed"));
  machine.put_file("/var/lib/apt/lists/deb_Packages", "");
  machine.put_directory("/usr/sbin");
  machine.put_directory("/lib/systemd/system");
  const auto apt = [](FakeSystem& fake, const CommandLine& command) {
    const auto has = [&](const char* verb) {
      return std::find(command.argv.begin(), command.argv.end(), verb) != command.argv.end();
    };
    if (has("remove")) return take_away(fake, command);
    return has("install") ? install(fake, command) : CommandResult{0, "", ""};
  };
  machine.on({"apt-get"}, apt);
  machine.on({"dpkg", "--configure"}, CommandResult{0, "", ""});
  machine.on({"dpkg", "--purge"}, take_away);
}

Resource resource(const std::string& id, ResourceBody body, std::vector<Effect> notify = {}) {
  return {id, id, std::move(body), std::move(notify), "test.yaml:1"};
}

}  // namespace

bool is_running(const FakeSystem& machine, const std::string& unit) {
  return exists(machine, running_file(unit));
}

void furnish(FakeSystem& machine) {
  machine.put_file("/proc/sys/kernel/random/boot_id", "11111111-2222-3333-4444-555555555555\n");
  machine.put_file("/proc/sys/net/ipv4/tcp_syncookies", "0\n");
  machine.put_directory("/etc/sysctl.d");
  machine.put_directory("/etc/ssh");
  machine.put_directory("/etc/systemd/system/multi-user.target.wants");
  machine.put_directory("/home");
  machine.put_directory("/run/fake/units");
  machine.put_directory("/run/fake/loaded");
  machine.put_file("/lib/systemd/system/sshd.service", "[Service]\n");
  mark_running(machine, "sshd.service");
  machine.put_file("/run/fake/daemon-reload", "");
  machine.put_file("/etc/motd", "welcome\n");
  machine.put_file("/etc/old", "to be removed\n", {0, 0, 0600});
  put_accounts(machine);
  furnish_packages(machine);
  machine.on({"sync"}, CommandResult{0, "", ""});
  machine.on({"systemctl"}, act_on_unit);
  machine.on({"systemctl", "show"}, show);
  machine.on({"make-marker"}, [](FakeSystem& fake, const CommandLine&) {
    fake.put_file("/var/marker", "");
    return CommandResult{0, "", ""};
  });
  machine.on({"remove-marker"}, [](FakeSystem& fake, const CommandLine&) {
    fake.erase("/var/marker");
    return CommandResult{0, "", ""};
  });
}

ContentRef store_content(FakeSystem& machine, const Content& content) {
  const auto reference = reference_to(content);
  machine.put_directory("/var/lib/sentinel", {0, 0, 0700});
  machine.put_directory("/var/lib/sentinel/blobs", {0, 0, 0700});
  machine.put_file("/var/lib/sentinel/blobs/" + reference.digest, content.serialize(), {0, 0, 0600});
  return reference;
}

Request realistic_request(FakeSystem& machine) {
  const auto text = [&](const char* bytes) { return store_content(machine, Content(bytes)); };
  Content with_secret("token=");
  with_secret.append(Hole{"TOKEN", {"shell"}});
  with_secret.append(std::string("\n"));
  const Effect restart_app{Effect::Kind::kRestart, "app.service"};
  const Effect reload_caddy{Effect::Kind::kReload, "caddy.service"};
  Request request;
  request.host = "web-1";
  request.operator_name = "me@here";
  request.purpose = "bootstrap";
  request.secrets = {{"TOKEN", true, "hex", 16}};
  request.resources = {
      resource("web/user", User{"app", std::nullopt, "", {}, "/var/lib/app", "/usr/sbin/nologin", "", true}),
      resource("web/dir", Directory{"/etc/app", "root", "root", 0750}),
      resource("web/conf", File{"/etc/app/app.conf", store_content(machine, with_secret), "root", "root", 0640},
               {restart_app}),
      resource("web/motd", File{"/etc/motd", text("managed\n")}),
      resource("web/old", File{"/etc/old", {}, "root", "root", 0644, Ensure::kAbsent}),
      resource("web/link", Link{"/etc/app/current", "app.conf"}),
      resource("web/caddy", Package{{"caddy"}}),
      resource("web/caddyfile", File{"/etc/caddy/Caddyfile", text(":443\n")}, {reload_caddy}),
      resource("web/redis", Package{{"redis"}}),
      resource("web/unit", File{"/etc/systemd/system/app.service", text("[Service]\nExecStart=/bin/app\n"), "root",
                                "root", 0644, Ensure::kPresent, FileFormat::kSystemdUnit}),
      resource("web/app", Service{"app.service", true, true, std::nullopt, {"/etc/app"}}),
      resource("web/caddyd", Service{"caddy.service", true, true, std::nullopt, {"/etc/caddy"}}),
      resource("web/sysctl", Sysctl{"/etc/sysctl.d/60-sentinel.conf", {{"net.ipv4.tcp_syncookies", "1"}}}),
      resource("web/marker", Command{{"make-marker"}, "/var/marker", {}, false, {"remove-marker"}}),
  };
  return request;
}

Resource risky_resource(FakeSystem& machine) {
  return resource("ssh/banner", File{"/etc/ssh/banner", store_content(machine, Content("careful\n"))},
                  {{Effect::Kind::kReload, "sshd.service"}});
}

std::map<std::string, FakeSystem::Node> managed_tree(const FakeSystem& machine) {
  auto tree = machine.tree();
  std::erase_if(tree, [](const auto& entry) {
    return entry.first.starts_with("/var/lib/sentinel") || entry.first.starts_with("/run/sentinel") ||
           entry.first.starts_with("/run/fake/daemon");
  });
  // When a unit last changed its state is not what a revert brings back; that it runs is.
  for (auto& [path, node] : tree) {
    if (path.starts_with("/run/fake/units/")) node.bytes.clear();
  }
  return tree;
}

}  // namespace sentinel
