// SPDX-License-Identifier: Apache-2.0
// A unit is the file /run/fake-units/NAME: load, active, enabled and whether a daemon-reload is owed, one word each.
// Its change time is when the unit last changed its state.
#include "tests/support/fake_units.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <optional>
#include <sstream>

namespace sentinel {
namespace {

constexpr const char* kUnits = "/run/fake-units";
constexpr const char* kStatus = "/var/lib/dpkg/status";

std::string path_of(const std::string& name) {
  return fmt::format("{}/{}", kUnits, name);
}

std::optional<FakeUnit> find(FakeSystem& machine, const std::string& name) {
  const auto text = machine.read_file(path_of(name));
  if (!text.ok()) return std::nullopt;
  FakeUnit unit;
  std::istringstream words(*text);
  words >> unit.load >> unit.active >> unit.enabled >> unit.needs_daemon_reload;
  return unit;
}

std::string timestamp(std::int64_t nanoseconds) {
  const time_t seconds = nanoseconds / 1'000'000'000;

  struct tm parts {};

  ::gmtime_r(&seconds, &parts);
  return fmt::format("Sat {:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06} UTC", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, nanoseconds / 1000 % 1'000'000);
}

CommandResult show(FakeSystem& machine, const CommandLine& command) {
  std::string output;
  const auto names = std::find(command.argv.begin(), command.argv.end(), "--");
  for (auto name = names + 1; name < command.argv.end(); ++name) {
    const auto unit = find(machine, *name);
    if (!unit) {
      output +=
          "LoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nStateChangeTimestamp="
          "\nNeedDaemonReload=no\n\n";
      continue;
    }
    output += fmt::format(
        "LoadState={}\nActiveState={}\nSubState=x\nUnitFileState={}\nStateChangeTimestamp={}\nNeedDaemonReload={}\n\n",
        unit->load, unit->active, unit->enabled, timestamp(machine.status(path_of(*name))->changed_ns),
        unit->needs_daemon_reload ? "yes" : "no");
  }
  return {0, output, ""};
}

CommandResult act(FakeSystem& machine, const CommandLine& command) {
  const std::string verb = command.argv.at(1);
  if (verb == "daemon-reload") {
    const auto names = machine.list(kUnits);
    for (const auto& name : *names) {
      auto unit = *find(machine, name);
      if (std::exchange(unit.needs_daemon_reload, false)) put_unit(machine, name, unit);
    }
    return {};
  }
  const std::string name = command.argv.at(2);
  auto found = find(machine, name);
  if (!found) return {1, "", fmt::format("Unit {} not found.\n", name)};
  const bool masked = found->load == "masked";
  if (masked && (verb == "start" || verb == "enable")) return {1, "", fmt::format("Unit {} is masked.\n", name)};
  if (verb == "start" || (verb.starts_with("try-") && found->active == "active")) found->active = "active";
  if (verb == "stop") found->active = "inactive";
  if (verb == "enable" && found->enabled == "disabled") found->enabled = "enabled";
  if (verb == "disable" && found->enabled == "enabled") found->enabled = "disabled";
  if (verb == "mask") *found = {"masked", found->active, "masked", found->needs_daemon_reload};
  if (verb == "unmask") *found = {"loaded", found->active, "disabled", found->needs_daemon_reload};
  put_unit(machine, name, *found);
  return {};
}

}  // namespace

void put_systemd(FakeSystem& machine) {
  machine.put_directory(kUnits);
  machine.on({"systemctl"}, act);
  machine.on({"systemctl", "show"}, show);
}

void put_unit(FakeSystem& machine, const std::string& name, const FakeUnit& unit) {
  machine.put_file(path_of(name),
                   fmt::format("{} {} {} {}", unit.load, unit.active, unit.enabled, unit.needs_daemon_reload ? 1 : 0));
}

void put_packages(FakeSystem& machine, const std::vector<std::pair<std::string, std::string>>& packages) {
  std::string text;
  for (const auto& [name, status] : packages) {
    text += fmt::format("Package: {}\nStatus: install ok {}\nArchitecture: amd64\nVersion: 1.0\n\n", name, status);
  }
  machine.put_file(kStatus, text);
}

void set_packages(FakeSystem& machine, const std::vector<std::string>& names, const std::string& status) {
  std::vector<std::pair<std::string, std::string>> packages;
  std::istringstream lines(machine.read_file(kStatus).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Package: ")) packages.emplace_back(line.substr(9), "");
    if (line.starts_with("Status: ")) packages.back().second = line.substr(line.rfind(' ') + 1);
  }
  for (const auto& name : names) {
    const auto known =
        std::find_if(packages.begin(), packages.end(), [&](const auto& entry) { return entry.first == name; });
    if (known == packages.end()) {
      packages.emplace_back(name, status);
    } else {
      known->second = status;
    }
  }
  put_packages(machine, packages);
}

}  // namespace sentinel
