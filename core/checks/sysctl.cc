// SPDX-License-Identifier: Apache-2.0
// sysctl: {key: {live, boot: {value, file, line} | null, interfaces: {name: value}}}; `boot` is the assignment that is
// made last when the host starts: sysctl.d(5) by file name, /etc/sysctl.conf where systemd still reads it, then ufw's
// own file. Interfaces are those whose value differs from what is wanted for all of them.
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "core/checks/families.h"
#include "core/resources/sysctl_lines.h"

namespace sentinel {
namespace {

using nlohmann::json;

// Not /run/sysctl.d: what is there now is gone after a reboot.
constexpr std::array kDirectories{"/usr/lib/sysctl.d", "/usr/local/lib/sysctl.d", "/etc/sysctl.d"};

std::string kernel_path(std::string key) {
  std::replace(key.begin(), key.end(), '.', '/');
  return "/proc/sys/" + key;
}

/// Every file systemd-sysctl reads, in its order: by name, a later directory hiding an earlier one's file of that name.
Result<std::vector<std::string>> boot_files(Reader& machine) {
  std::map<std::string, std::string> by_name;
  for (const char* directory : kDirectories) {
    SENTINEL_TRY(const auto names, machine.list(directory));
    for (const auto& name : names) {
      if (name.ends_with(".conf")) by_name[name] = std::string(directory) + "/" + name;
    }
  }
  std::vector<std::string> out;
  for (auto& [name, path] : by_name) out.push_back(std::move(path));
  return out;
}

struct Assignments {
  std::map<std::string, SysctlLine> exact;
  std::vector<SysctlLine> patterns;
};

Result<void> read_into(const std::string& path, Reader& machine, Assignments& out) {
  const auto text = machine.read_file(path);
  if (!text.ok()) return text.error().code == "system.ENOENT" ? Result<void>() : Result<void>(text.error());
  for (auto& line : parse_sysctl(*text, path)) {
    if (line.key.find_first_of("*?[") != std::string::npos) {
      out.patterns.push_back(std::move(line));
    } else {
      out.exact.insert_or_assign(line.key, std::move(line));
    }
  }
  return {};
}

Result<Assignments> at_boot(Reader& machine) {
  Assignments out;
  SENTINEL_TRY(const auto files, boot_files(machine));
  for (const auto& file : files) SENTINEL_CHECK(read_into(file, machine, out));
  // ufw sets its own when it starts, after systemd-sysctl.
  const auto enabled = machine.read_file("/etc/ufw/ufw.conf");
  if (enabled.ok() && enabled->find("\nENABLED=yes") != std::string::npos)
    SENTINEL_CHECK(read_into("/etc/ufw/sysctl.conf", machine, out));
  return out;
}

/// An explicit key wins over patterns wherever it stands; of patterns the last one does.
json assignment(const Assignments& all, const std::string& key) {
  const SysctlLine* found = nullptr;
  for (const auto& line : all.patterns) {
    if (::fnmatch(line.key.c_str(), key.c_str(), FNM_PATHNAME) == 0) found = &line;
  }
  if (const auto exact = all.exact.find(key); exact != all.exact.end()) found = &exact->second;
  if (found == nullptr) return nullptr;
  return {{"value", found->value}, {"file", found->file}, {"line", found->line}};
}

/// "net.ipv4.conf.all.rp_filter" -> the values of the interfaces that are there.
Result<json> interfaces_of(const std::string& key, Reader& machine) {
  auto out = json::object();
  const auto at = key.find(".conf.all.");
  if (at == std::string::npos) return out;
  const auto directory = kernel_path(key.substr(0, at) + ".conf");
  SENTINEL_TRY(const auto names, machine.list(directory));
  for (const auto& name : names) {
    if (name == "all" || name == "default" || name == "lo") continue;
    const auto value = machine.read_file(directory + "/" + name + "/" + key.substr(at + 10));
    if (value.ok()) out[name] = folded(*value);
  }
  return out;
}

Result<Answer> look_at_sysctl(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto boot, at_boot(inquiry.machine()));
  Answer out{json::object(), "/proc/sys, sysctl.d(5), /etc/ufw/sysctl.conf"};
  for (const auto& key : inquiry.list("keys")) {
    if (key.find("..") != std::string::npos || key.find('/') != std::string::npos)
      return Error("probe.order", "not the name of a kernel parameter: " + key);
    const auto live = inquiry.machine().read_file(kernel_path(key));
    if (!live.ok() && live.error().code != "system.ENOENT") return live.error();
    auto& entry =
        out.value[key] = {{"live", live.ok() ? json(folded(*live)) : json(nullptr)}, {"boot", assignment(boot, key)}};
    SENTINEL_TRY(entry["interfaces"], interfaces_of(key, inquiry.machine()));
  }
  return out;
}

}  // namespace

HostProbes sysctl_probes() {
  return {{"sysctl", look_at_sysctl}};
}

}  // namespace sentinel
