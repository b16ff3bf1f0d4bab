// SPDX-License-Identifier: Apache-2.0
// Everything here is idempotent and compares before it writes: a host in charge of this agent already is not touched.
#include "agent/installation.h"

#include <fmt/format.h>

#include "agent/units.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/wire/agent_start.h"

namespace sentinel::agent {
namespace {

constexpr std::string_view kUnitDirectory = "/etc/systemd/system";

Result<std::string> own_path(Reader& machine) { return machine.read_link("/proc/self/exe"); }

// The digest in <root>/<64 hex>/sentinel-agent; empty for any other path.
std::string digest_in(const std::string& path) {
  const std::string prefix = std::string(kAgentRoot) + "/";
  if (!path.starts_with(prefix) || path.size() != prefix.size() + 64 + std::string("/sentinel-agent").size()) return {};
  return path.substr(prefix.size(), 64);
}

Result<bool> link_is(Reader& machine, const std::string& path, const std::string& target) {
  SENTINEL_TRY(const auto status, machine.status(path));
  if (status.type != FileType::kLink) return false;
  SENTINEL_TRY(const auto now, machine.read_link(path));
  return now == target;
}

Result<bool> file_is(Reader& machine, const std::string& path, std::string_view text) {
  SENTINEL_TRY(const auto status, machine.status(path));
  if (status.type != FileType::kRegular) return false;
  SENTINEL_TRY(const auto now, machine.read_file(path));
  return now == text;
}

Result<bool> ensure_link(System& machine, const std::string& path, const std::string& target) {
  SENTINEL_TRY(const bool already, link_is(machine, path, target));
  if (already) return false;
  SENTINEL_CHECK(machine.make_directory(parent_directory(path), {0, 0, 0755}));
  SENTINEL_CHECK(machine.make_link(path, target));
  return true;
}

}  // namespace

std::string agent_path(const std::string& sha256) { return fmt::format("{}/{}/sentinel-agent", kAgentRoot, sha256); }

Result<std::string> own_digest(Reader& machine) {
  SENTINEL_TRY(const auto path, own_path(machine));
  if (auto digest = digest_in(path); !digest.empty()) return digest;
  SENTINEL_TRY(const auto bytes, machine.read_file("/proc/self/exe"));
  return sha256_hex(bytes);
}

Result<std::string> install_successor(System& machine, const std::string& bytes, const std::string& sha256) {
  if (sha256_hex(bytes) != sha256) return Error("agent.damaged", "the agent arrived damaged");
  const std::string path = agent_path(sha256);
  SENTINEL_CHECK(machine.make_directory(std::string(kAgentRoot), {0, 0, 0755}));
  SENTINEL_CHECK(machine.make_directory(parent_directory(path), {0, 0, 0755}));
  SENTINEL_CHECK(machine.replace_file(path, bytes, {0, 0, 0755}));
  return path;
}

Result<void> take_charge(System& machine) {
  SENTINEL_TRY(const auto path, own_path(machine));
  std::string home = path;
  if (digest_in(path).empty()) {
    SENTINEL_TRY(const auto bytes, machine.read_file("/proc/self/exe"));
    SENTINEL_TRY(home, install_successor(machine, bytes, sha256_hex(bytes)));
  }
  SENTINEL_TRY(bool changed, ensure_link(machine, std::string(kAgentLink), home));
  for (const auto& unit : kUnits) {
    const std::string file = fmt::format("{}/{}", kUnitDirectory, unit.name);
    SENTINEL_TRY(const bool same, file_is(machine, file, unit.text));
    if (!same) {
      SENTINEL_CHECK(machine.replace_file(file, unit.text, {0, 0, 0644}));
      changed = true;
    }
    if (unit.wanted_by.empty()) continue;
    SENTINEL_TRY(const bool linked,
                 ensure_link(machine, fmt::format("{}/{}.wants/{}", kUnitDirectory, unit.wanted_by, unit.name), file));
    changed = changed || linked;
  }
  if (!changed) return {};
  SENTINEL_TRY(const auto reload, machine.run({{"systemctl", "daemon-reload"}, {}, {}, std::chrono::seconds(60), {}}));
  if (reload.status != 0) return Error("agent.units", "systemd did not load the agent's units: " + reload.errors);
  return {};
}

}  // namespace sentinel::agent
