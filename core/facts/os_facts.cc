// SPDX-License-Identifier: Apache-2.0
// systemd's version is in the name of its private library: `systemctl --version` would cost a process.
#include "core/facts/os_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace sentinel {
namespace {

struct Availability {
  std::string_view name;
  std::vector<std::string_view> missing_in;  ///< codenames
};

// From the package indexes of the releases (main of Debian; main and universe of Ubuntu).
const std::array<Availability, 14>& table() {
  static const std::array<Availability, 14> kTable{{
      {"caddy", {"bullseye", "focal", "jammy"}},
      {"chrony", {}},
      {"docker-cli", {"bullseye", "bookworm", "focal", "jammy", "noble"}},
      {"docker-compose", {}},
      {"docker-compose-v2", {"bullseye", "bookworm", "trixie", "focal"}},
      {"docker.io", {}},
      {"fail2ban", {}},
      {"nats-server", {"bullseye", "focal"}},
      {"prometheus", {}},
      {"prometheus-node-exporter", {}},
      {"redis-server", {}},
      {"systemd-timesyncd", {}},
      {"ufw", {}},
      {"unattended-upgrades", {}},
  }};
  return kTable;
}

std::uint32_t systemd_version(Reader& machine, const std::string& architecture) {
  constexpr std::string_view kPrefix = "libsystemd-shared-";
  for (const auto& directory : {fmt::format("/usr/lib/{}-linux-gnu/systemd", architecture),
                                std::string("/usr/lib/systemd"), std::string("/lib/systemd")}) {
    const auto names = machine.list(directory);
    if (!names.ok()) continue;
    for (const auto& name : *names) {
      if (!name.starts_with(kPrefix)) continue;
      std::uint32_t version = 0;
      std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), version);
      if (version != 0) return version;
    }
  }
  return 0;
}

std::string unquoted(std::string_view value) {
  if (value.size() < 2 || (value.front() != '"' && value.front() != '\'') || value.back() != value.front())
    return std::string(value);
  const bool escapes = value.front() == '"';
  value = value.substr(1, value.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (escapes && value[i] == '\\' && i + 1 < value.size()) ++i;
    out += value[i];
  }
  return out;
}

}  // namespace

std::map<std::string, std::string> parse_os_release(const std::string& text) {
  std::map<std::string, std::string> values;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || line.starts_with('#')) continue;
    values[std::string(line.substr(0, equals))] = unquoted(line.substr(equals + 1));
  }
  return values;
}

std::vector<std::string> packages_of_release(const std::string& os_id, const std::string& codename) {
  std::vector<std::string> names;
  const bool known = os_id == "debian" || os_id == "ubuntu";
  for (const auto& entry : table()) {
    const auto& missing = entry.missing_in;
    if (!known || std::find(missing.begin(), missing.end(), codename) == missing.end()) names.emplace_back(entry.name);
  }
  return names;
}

void collect_os(Reader& machine, Facts& facts) {
  auto text = machine.read_file("/etc/os-release");
  if (!text.ok()) text = machine.read_file("/usr/lib/os-release");
  auto release = parse_os_release(text.value_or({}));
  facts.os_id = release["ID"];
  facts.os_version = release["VERSION_ID"];
  facts.os_codename = release["VERSION_CODENAME"];
  facts.os_name = release["PRETTY_NAME"];
  facts.systemd_version = systemd_version(machine, facts.architecture);
  const auto log = machine.status("/var/log/auth.log");
  facts.has_auth_log = log.ok() && log->type == FileType::kRegular;
  facts.packages_available = packages_of_release(facts.os_id, facts.os_codename);
}

}  // namespace sentinel
