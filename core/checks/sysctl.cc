// SPDX-License-Identifier: Apache-2.0
// sysctl: {key: {live, boot: {value, file, line} | null, interfaces: {name: value}}}; `boot` is the assignment that is
// made last when the host starts: sysctl.d(5) by file name, /etc/sysctl.conf where systemd still reads it, then ufw's
// own file. Interfaces are those whose value differs from what is wanted for all of them. Where something else than a
// file has the last word, `file` says who and `line` is 0.
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "core/checks/families.h"
#include "core/model/virtualization.h"
#include "core/resources/sysctl_lines.h"

namespace sentinel {
namespace {

using nlohmann::json;

// Not /run/sysctl.d: what is there now is gone after a reboot.
constexpr const char* kRedirects = "net.ipv4.conf.all.accept_redirects";
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
  std::vector<SysctlLine> in_order;  ///< as the kernel is told; patterns where they stand
};

Result<void> read_into(const std::string& path, Reader& machine, Assignments& out) {
  const auto text = machine.read_file(path);
  if (!text.ok()) return text.error().code == "system.ENOENT" ? Result<void>() : Result<void>(text.error());
  for (auto& line : parse_sysctl(*text, path)) {
    out.in_order.push_back(line);
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
  // systemd-sysctl gathers first, and sets a parameter once, where it was named last.
  std::set<std::string> named_later;
  std::vector<SysctlLine> once;
  for (auto line = out.in_order.rbegin(); line != out.in_order.rend(); ++line) {
    if (named_later.insert(line->key).second) once.push_back(std::move(*line));
  }
  out.in_order.assign(once.rbegin(), once.rend());
  // ufw sets its own when it starts, after systemd-sysctl.
  const auto enabled = machine.read_file("/etc/ufw/ufw.conf");
  if (enabled.ok() && enabled->find("\nENABLED=yes") != std::string::npos)
    SENTINEL_CHECK(read_into("/etc/ufw/sysctl.conf", machine, out));
  return out;
}

json json_of(const SysctlLine& line) {
  return {{"value", line.value}, {"file", line.file}, {"line", line.line}};
}

/// An explicit key wins over patterns wherever it stands; of patterns the last one does.
json assignment(const Assignments& all, const std::string& key) {
  const SysctlLine* found = nullptr;
  for (const auto& line : all.patterns) {
    if (::fnmatch(line.key.c_str(), key.c_str(), FNM_PATHNAME) == 0) found = &line;
  }
  if (const auto exact = all.exact.find(key); exact != all.exact.end()) found = &exact->second;
  if (found == nullptr) return nullptr;
  return json_of(*found);
}

/// Whether dockerd turns forwarding on when the host starts: it does unless told otherwise.
Result<bool> docker_forwards(Reader& machine) {
  SENTINEL_TRY(const auto wanted, machine.status("/etc/systemd/system/multi-user.target.wants/docker.service"));
  if (wanted.type == FileType::kAbsent) return false;
  std::vector<std::string> files{"/etc/docker/daemon.json"};
  constexpr const char* kDropIns = "/etc/systemd/system/docker.service.d";
  SENTINEL_TRY(const auto names, machine.list(kDropIns));
  for (const auto& name : names) files.push_back(std::string(kDropIns) + "/" + name);
  for (const auto& file : files) {
    const auto text = machine.read_file(file);
    if (!text.ok() && text.error().code != "system.ENOENT") return text.error();
    if (text.ok() && text->find("ip-forward") != std::string::npos) return false;
  }
  return true;
}

/// The last word on a parameter that the kernel sets itself whenever forwarding is turned on (to 0) or off (to 1): "its
/// change resets all configuration parameters to their default state" (ip-sysctl, ip_forward).
json redirects_at_boot(const Assignments& all, const std::string& key, bool forwarding, bool docker) {
  const bool named = all.exact.contains(key);
  json last;
  for (const auto& line : all.in_order) {
    if (line.key == "net.ipv4.ip_forward" || line.key == "net.ipv4.conf.all.forwarding") {
      const bool on = line.value != "0";
      if (on != forwarding) last = json_of({key, on ? "0" : "1", line.file, line.line});
      forwarding = on;
    } else if (line.key == key || (!named && ::fnmatch(line.key.c_str(), key.c_str(), FNM_PATHNAME) == 0)) {
      last = json_of(line);
    }
  }
  if (docker && !forwarding) last = json_of({key, "0", "dockerd, as it turns forwarding on", 0});
  return last;
}

/// A container begins with the forwarding of the machine it runs on, which it can't see: what is worse counts.
Result<json> redirects_at_boot(const Assignments& all, const std::string& key, const Inquiry& inquiry) {
  SENTINEL_TRY(const bool docker, docker_forwards(inquiry.machine()));
  auto fresh = redirects_at_boot(all, key, false, docker);
  if (!is_container(inquiry.facts.virtualization)) return fresh;
  auto inherited = redirects_at_boot(all, key, true, docker);
  return !inherited.is_null() && inherited.at("value") == "0" ? fresh : inherited;
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
    auto& entry = out.value[key] = {{"live", live.ok() ? json(folded(*live)) : json(nullptr)}};
    entry["boot"] = assignment(boot, key);
    if (key == kRedirects) {
      SENTINEL_TRY(entry["boot"], redirects_at_boot(boot, key, inquiry));
    }
    SENTINEL_TRY(entry["interfaces"], interfaces_of(key, inquiry.machine()));
  }
  return out;
}

}  // namespace

HostProbes sysctl_probes() {
  return {{"sysctl", look_at_sysctl}};
}

}  // namespace sentinel
