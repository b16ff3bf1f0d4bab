// SPDX-License-Identifier: Apache-2.0
// apt: {periodic: {update, upgrade}, origins: [text], excepted: [pattern], unsigned: a setting that asks for no
// signature, winners: {setting: file}, stamps: {update, upgrade} (nanoseconds
//       since 1970, 0: never), installed_ns: when unattended-upgrades came, broken: [package], held: [package],
//       reboot_required, sources: [{file, line, uri, signed_by, trusted, insecure}],
//       names: {distro_id, distro_codename} as patterns of origins have them, security: see apt_lists.h}
// The configuration is what `apt-config dump` makes of all its files; the last one by name wins.
#include <fmt/format.h>

#include <cctype>
#include <sstream>

#include "core/checks/apt_lists.h"
#include "core/checks/families.h"
#include "core/resources/dpkg_status.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr const char* kDirectory = "/etc/apt/apt.conf.d";

/// `NAME "value";` lines.
std::vector<std::pair<std::string, std::string>> settings_in(const std::string& dump) {
  std::vector<std::pair<std::string, std::string>> out;
  std::istringstream lines(dump);
  std::string line;
  while (std::getline(lines, line)) {
    const auto quote = line.find(" \"");
    if (quote == std::string::npos || !line.ends_with("\";")) continue;
    out.emplace_back(line.substr(0, quote), line.substr(quote + 2, line.size() - quote - 4));
  }
  return out;
}

/// As apt reads a truth (apt-pkg/contrib/strutl.cc).
bool is_yes(const std::string& value) {
  return value == "1" || value == "yes" || value == "true" || value == "on" || value == "enable" || value == "with";
}

/// The last file by name that mentions a setting, in either way to write it.
Result<std::string> last_mention(const std::string& name, Reader& machine) {
  SENTINEL_TRY(const auto files, machine.list(kDirectory));
  const auto last = name.substr(name.rfind("::") + 2);
  std::string found;
  for (const auto& file : files) {
    const auto text = machine.read_file(std::string(kDirectory) + "/" + file);
    if (text.ok() && text->find(last) != std::string::npos) found = std::string(kDirectory) + "/" + file;
  }
  // Read after all of those (apt.conf(5)).
  const auto main = machine.read_file("/etc/apt/apt.conf");
  if (main.ok() && main->find(last) != std::string::npos) found = "/etc/apt/apt.conf";
  return found;
}

Result<std::int64_t> changed_ns(const std::string& path, Reader& machine) {
  SENTINEL_TRY(const auto status, machine.status(path));
  return status.type == FileType::kAbsent ? 0 : status.changed_ns;
}

std::string option_in(const std::string& options, const std::string& name) {
  const auto at = options.find(name + "=");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 1;
  return options.substr(begin, options.find_first_of(" ]", begin) - begin);
}

/// One-line sources: "deb [options] uri suite component…".
void read_list(const std::string& text, const std::string& path, json& out) {
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (!line.starts_with("deb ") && !line.starts_with("deb\t")) continue;
    std::string options;
    std::string rest = line.substr(4);
    rest.erase(0, rest.find_first_not_of(" \t"));
    if (rest.starts_with('[')) {
      const auto end = rest.find(']');
      options = rest.substr(1, end == std::string::npos ? std::string::npos : end - 1);
      rest.erase(0, end == std::string::npos ? rest.size() : end + 1);
      rest.erase(0, rest.find_first_not_of(" \t"));
    }
    out.push_back({{"file", path},
                   {"line", number},
                   {"uri", rest.substr(0, rest.find_first_of(" \t"))},
                   {"signed_by", option_in(options, "signed-by")},
                   {"trusted", option_in(options, "trusted")},
                   {"insecure", option_in(options, "allow-insecure") + option_in(options, "allow-weak")}});
  }
}

/// Stanzas of sources.list(5)'s DEB822 form.
void read_stanzas(const std::string& text, const std::string& path, json& out) {
  std::istringstream lines(text + "\n\n");
  std::string line;
  json stanza;
  const auto begin = [&](int number) {
    stanza = {{"file", path}, {"line", number}, {"uri", ""}, {"signed_by", ""}, {"trusted", ""}, {"insecure", ""}};
  };
  bool disabled = false;
  begin(1);
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty()) {
      if (!stanza.at("uri").get<std::string>().empty() && !disabled) out.push_back(stanza);
      disabled = false;
      begin(number + 1);
      continue;
    }
    const auto colon = line.find(':');
    if (colon == std::string::npos || line.front() == '#' || line.front() == ' ') continue;
    std::string value = line.substr(colon + 1);
    value.erase(0, value.find_first_not_of(' '));
    const auto key = line.substr(0, colon);
    if (key == "URIs") stanza["uri"] = value;
    if (key == "Signed-By") stanza["signed_by"] = value.empty() ? "(in place)" : value;
    if (key == "Trusted") stanza["trusted"] = value;
    if (key == "Allow-Insecure" || key == "Allow-Weak") stanza["insecure"] = value;
    if (key == "Enabled") disabled = value == "no";
  }
}

Result<json> sources(Reader& machine) {
  auto out = json::array();
  SENTINEL_TRY(const auto names, machine.list("/etc/apt/sources.list.d"));
  std::vector<std::string> files{"/etc/apt/sources.list"};
  for (const auto& name : names) files.push_back("/etc/apt/sources.list.d/" + name);
  for (const auto& file : files) {
    const auto text = machine.read_file(file);
    if (!text.ok()) continue;
    if (file.ends_with(".list")) read_list(*text, file, out);
    if (file.ends_with(".sources")) read_stanzas(*text, file, out);
  }
  return out;
}

Result<std::vector<std::string>> held_packages(Reader& machine) {
  SENTINEL_TRY(const auto text, machine.read_file("/var/lib/dpkg/status"));
  std::vector<std::string> out;
  std::string name;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with("Package: ")) name = line.substr(9);
    if (line.starts_with("Status: hold ")) out.push_back(name);
  }
  return out;
}

Result<Answer> look_at_apt(const Inquiry& inquiry) {
  Reader& machine = inquiry.machine();
  CommandLine command;
  command.argv = {"apt-config", "dump"};
  SENTINEL_TRY(const auto dump, machine.query(command));
  if (dump.status == 127) return Error("probe.absent", "this host has no apt");
  if (dump.status != 0) return Error("probe.failed", "apt-config dump: " + dump.reason());
  json out{{"periodic", {{"update", ""}, {"upgrade", ""}}},
           {"origins", json::array()},
           {"excepted", json::array()},
           {"unsigned", ""},
           {"winners", json::object()}};
  for (const auto& [name, value] : settings_in(dump.output)) {
    if (name == "APT::Periodic::Update-Package-Lists") out["periodic"]["update"] = value;
    if (name == "APT::Periodic::Unattended-Upgrade") out["periodic"]["upgrade"] = value;
    if (name == "APT::Periodic::Enable") out["periodic"]["enable"] = value;
    const bool origin = name.starts_with("Unattended-Upgrade::Origins-Pattern::") ||
                        name.starts_with("Unattended-Upgrade::Allowed-Origins::");
    if (origin) out["origins"].push_back(value);
    if (name.starts_with("Unattended-Upgrade::Package-Blacklist::")) out["excepted"].push_back(value);
    const bool lax = name == "APT::Get::AllowUnauthenticated" || name.starts_with("Acquire::AllowInsecureRepositories");
    if (lax && is_yes(value)) out["unsigned"] = name;
  }
  for (const char* name : {"APT::Periodic::Update-Package-Lists", "APT::Periodic::Unattended-Upgrade"}) {
    SENTINEL_TRY(out["winners"][name], last_mention(name, machine));
  }
  SENTINEL_TRY(out["stamps"]["update"], changed_ns("/var/lib/apt/periodic/update-stamp", machine));
  SENTINEL_TRY(out["stamps"]["upgrade"], changed_ns("/var/lib/apt/periodic/unattended-upgrades-stamp", machine));
  SENTINEL_TRY(out["installed_ns"], changed_ns("/var/lib/dpkg/info/unattended-upgrades.list", machine));
  SENTINEL_TRY(const auto reboot, machine.status("/run/reboot-required"));
  out["reboot_required"] = reboot.type != FileType::kAbsent;
  SENTINEL_TRY(const auto* packages, dpkg_status(inquiry.look));
  out["installed"] = packages->state("unattended-upgrades") == PackageState::kInstalled;
  out["broken"] = json::array();
  for (const auto& present : packages->present()) {
    const auto name = present.substr(0, present.find(':'));
    if (packages->state(name) == PackageState::kBroken) out["broken"].push_back(name);
  }
  SENTINEL_TRY(out["held"], held_packages(machine));
  SENTINEL_TRY(out["sources"], sources(machine));
  SENTINEL_TRY(out["security"], security_lists(inquiry.look));
  // As `lsb_release` writes the name: "Debian".
  auto id = inquiry.facts.os_id;
  if (!id.empty()) id.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(id.front())));
  out["names"] = {{"distro_id", id}, {"distro_codename", inquiry.facts.os_codename}};
  return Answer{std::move(out), "apt-config dump"};
}

/// packages: {name: {state: installed|absent|broken, version}}
Result<Answer> look_at_packages(const Inquiry& inquiry) {
  SENTINEL_TRY(const auto* packages, dpkg_status(inquiry.look));
  Answer out{json::object(), "/var/lib/dpkg/status"};
  for (const auto& name : inquiry.list("packages")) {
    const auto state = packages->state(name);
    out.value[name] = {{"state", state == PackageState::kInstalled ? "installed"
                                 : state == PackageState::kBroken  ? "broken"
                                                                   : "absent"},
                       {"version", packages->version(name)}};
  }
  return out;
}

}  // namespace

HostProbes apt_probes() {
  return {{"apt", look_at_apt}, {"packages", look_at_packages}};
}

}  // namespace sentinel
