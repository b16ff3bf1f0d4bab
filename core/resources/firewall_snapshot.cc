// SPDX-License-Identifier: Apache-2.0
// Built-in chains belong to everybody: there only ufw's jumps are put back, at their places among the rules of others,
// and accepting rules of INPUT that were taken out because they came before ufw.
#include "core/resources/firewall_snapshot.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "core/base/digest.h"
#include "core/model/json.h"
#include "core/model/json_fields.h"
#include "core/resources/netfilter.h"
#include "core/resources/ufw_kernel.h"

namespace sentinel {

struct SavedFile {
  std::string path;
  bool present = false;
  std::string base64;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t mode = 0;
};

struct SavedFamily {
  bool present = false;  ///< the kernel has this family's packet filter
  std::map<std::string, std::string> policies;
  std::map<std::string, std::vector<std::string>> built_in;  ///< all rules, also those of others: for their places
  std::map<std::string, std::vector<std::string>> chains;    ///< ufw's
};

struct SavedFirewall {
  std::vector<SavedFile> files;
  std::map<std::string, std::string> parameters;  ///< below /proc/sys
  SavedFamily v4;
  SavedFamily v6;
};

SENTINEL_JSON_FIELDS(SavedFile, path, present, base64, uid, gid, mode)
SENTINEL_JSON_FIELDS(SavedFamily, present, policies, built_in, chains)
SENTINEL_JSON_FIELDS(SavedFirewall, files, parameters, v4, v6)

namespace {

constexpr const char* kSysctlPath = "/etc/ufw/sysctl.conf";
constexpr std::array<const char*, 9> kPaths{"/etc/default/ufw",     "/etc/ufw/ufw.conf",     "/etc/ufw/user.rules",
                                            "/etc/ufw/user6.rules", "/etc/ufw/before.rules", "/etc/ufw/before6.rules",
                                            "/etc/ufw/after.rules", "/etc/ufw/after6.rules", kSysctlPath};
constexpr std::array<const char*, 3> kBuiltIn{"INPUT", "FORWARD", "OUTPUT"};

Result<SavedFile> capture_file(const std::string& path, Reader& machine) {
  SavedFile out;
  out.path = path;
  SENTINEL_TRY(const auto status, machine.status(path));
  if (status.type == FileType::kAbsent) return out;
  if (status.type != FileType::kRegular)
    return Error("firewall.not-a-file", fmt::format("{} is not a regular file", path));
  SENTINEL_TRY(const auto bytes, machine.read_file(path));
  out.present = true;
  out.base64 = base64_encode(bytes);
  out.uid = status.uid;
  out.gid = status.gid;
  out.mode = status.mode;
  return out;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

/// What `ufw enable` sets by its own sysctl.conf: "net/ipv4/conf/all/accept_redirects=0" a line.
Result<std::map<std::string, std::string>> capture_parameters(Reader& machine) {
  std::map<std::string, std::string> out;
  const auto text = machine.read_file(kSysctlPath);
  if (!text.ok()) return out;
  std::size_t begin = 0;
  while (begin < text->size()) {
    const auto end = std::min(text->find('\n', begin), text->size());
    const std::string line = text->substr(begin, end - begin);
    begin = end + 1;
    const auto equals = line.find('=');
    if (line.empty() || line[0] == '#' || equals == std::string::npos) continue;
    std::string key = trimmed(line.substr(0, equals));
    if (key.find('/') == std::string::npos) std::replace(key.begin(), key.end(), '.', '/');
    if (key.find("..") != std::string::npos) continue;
    auto value = machine.read_file("/proc/sys/" + key);
    if (value.ok()) out[key] = trimmed(std::move(*value));
  }
  return out;
}

SavedFamily capture_family(const std::optional<FilterTable>& table) {
  SavedFamily out;
  if (!table) return out;
  out.present = true;
  for (const auto& [name, chain] : table->chains) {
    if (is_ufw_chain(name)) out.chains[name] = chain.rules;
  }
  for (const char* name : kBuiltIn) {
    // A table that nobody has used yet is printed without its chains.
    const auto* chain = table->find(name);
    out.policies[name] = chain == nullptr ? "ACCEPT" : chain->policy;
    out.built_in[name] = chain == nullptr ? std::vector<std::string>{} : chain->rules;
  }
  return out;
}

Result<void> restore_file(const SavedFile& file, System& machine) {
  SENTINEL_TRY(const auto status, machine.status(file.path));
  if (!file.present) return status.type == FileType::kAbsent ? Result<void>() : machine.remove_file(file.path);
  const auto bytes = base64_decode(file.base64);
  if (!bytes)
    return Error("firewall.bad-snapshot", fmt::format("the content of {} in the snapshot can't be read", file.path));
  const FileAttributes attributes{file.uid, file.gid, file.mode};
  if (status.type == FileType::kRegular) {
    SENTINEL_TRY(const auto now, machine.read_file(file.path));
    if (now == *bytes && FileAttributes{status.uid, status.gid, status.mode} == attributes) return {};
  }
  return machine.replace_file(file.path, *bytes, attributes);
}

Result<void> restore_parameters(const std::map<std::string, std::string>& parameters, System& machine) {
  for (const auto& [key, value] : parameters) {
    const std::string path = "/proc/sys/" + key;
    const auto now = machine.read_file(path);
    if (now.ok() && trimmed(*now) != value) SENTINEL_CHECK(machine.write_kernel_file(path, value));
  }
  return {};
}

std::string jump_target(const std::string& rule) {
  const auto words = split_rule(rule);
  const auto jump = std::find(words.begin(), words.end(), "-j");
  return jump == words.end() || jump + 1 == words.end() ? "" : *(jump + 1);
}

bool contains(const std::vector<std::string>& list, const std::string& rule) {
  return std::find(list.begin(), list.end(), rule) != list.end();
}

/// Rules of a built-in chain that ufw made: jumps, and what it lets through for loopback when IPv6 is off.
bool made_by_ufw(const std::string& rule) {
  return is_ufw_chain(jump_target(rule)) || rule == "-i lo -j ACCEPT" || rule == "-o lo -j ACCEPT";
}

/// A built-in chain as it should be: the rules of others as they are now, ufw's where they were among them.
std::vector<std::string> merged(const std::vector<std::string>& saved, const std::vector<std::string>& now,
                                bool is_input) {
  std::vector<std::string> out;
  for (const auto& rule : now) {
    if (!made_by_ufw(rule)) out.push_back(rule);
  }
  // What was put in front since then, as fail2ban does, stays in front.
  std::size_t place = 0;
  while (place < out.size() && !contains(saved, out[place])) ++place;
  for (const auto& rule : saved) {
    const auto known = std::find(out.begin(), out.end(), rule);
    if (known != out.end() && !made_by_ufw(rule)) {
      place = static_cast<std::size_t>(known - out.begin()) + 1;
    } else if (made_by_ufw(rule) || (is_input && jump_target(rule) == "ACCEPT")) {
      out.insert(out.begin() + static_cast<std::ptrdiff_t>(place), rule);
      ++place;
    }
  }
  return out;
}

/// Moves one built-in chain from `now` to `wanted` without touching the rules both have from others.
void write_built_in(const std::string& chain, const std::vector<std::string>& wanted,
                    const std::vector<std::string>& now, std::string& script) {
  if (wanted == now) return;
  std::vector<std::string> kept;
  for (const auto& rule : now) {
    if (made_by_ufw(rule)) {
      script += fmt::format("-D {} {}\n", chain, rule);
    } else {
      kept.push_back(rule);
    }
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (next < kept.size() && wanted[i] == kept[next]) {
      ++next;
    } else {
      script += fmt::format("-I {} {} {}\n", chain, i + 1, wanted[i]);
    }
  }
}

/// Chains of ufw that rules of others lead to can be emptied but not removed.
bool is_referenced(const std::string& chain, const FilterTable& table) {
  return std::any_of(table.chains.begin(), table.chains.end(), [&](const auto& entry) {
    const bool foreign =
        !is_ufw_chain(entry.first) && std::find(kBuiltIn.begin(), kBuiltIn.end(), entry.first) == kBuiltIn.end();
    return foreign && std::any_of(entry.second.rules.begin(), entry.second.rules.end(),
                                  [&](const std::string& rule) { return jump_target(rule) == chain; });
  });
}

/// Input for iptables-restore --noflush; empty when nothing differs.
std::string script_for(const SavedFamily& saved, const FilterTable& table) {
  const SavedFamily now = capture_family(table);
  std::string hooks;
  for (const std::string chain : kBuiltIn) {
    const auto before = saved.built_in.find(chain);
    const auto current = now.built_in.find(chain);
    if (before == saved.built_in.end() || current == now.built_in.end()) continue;
    write_built_in(chain, merged(before->second, current->second, chain == "INPUT"), current->second, hooks);
  }
  if (hooks.empty() && saved.policies == now.policies && saved.chains == now.chains) return "";
  std::string script = "*filter\n";
  for (const auto& [chain, policy] : saved.policies) script += fmt::format(":{} {} [0:0]\n", chain, policy);
  for (const auto& [chain, rules] : saved.chains) script += fmt::format(":{} - [0:0]\n", chain);
  std::string removals;
  for (const auto& [chain, rules] : now.chains) {
    if (saved.chains.count(chain) > 0) continue;
    script += fmt::format(":{} - [0:0]\n", chain);
    if (!is_referenced(chain, table)) removals += fmt::format("-X {}\n", chain);
  }
  for (const auto& [chain, rules] : saved.chains) {
    for (const auto& rule : rules) script += fmt::format("-A {} {}\n", chain, rule);
  }
  return script + hooks + removals + "COMMIT\n";
}

Result<void> restore_family(Family family, const SavedFamily& saved, System& machine) {
  if (!saved.present) return {};
  SENTINEL_TRY(const auto table, read_filter_table(family, machine));
  if (!table)
    return Error("firewall.no-kernel",
                 fmt::format("the {} rules can't be read, so they can't be put back", to_string(family)));
  CommandLine command;
  command.input = script_for(saved, *table);
  if (command.input.empty()) return {};
  command.argv = {family == Family::kV4 ? "iptables-restore" : "ip6tables-restore", "--wait=10", "--noflush"};
  SENTINEL_TRY(const auto result, machine.run(command));
  if (result.status == 0) return {};
  return Error("firewall.not-restored",
               fmt::format("the {} rules could not be put back: {}", to_string(family), result.errors));
}

Result<SavedFirewall> parse_snapshot(const std::string& snapshot) {
  SENTINEL_TRY(const auto json, parse_json(snapshot));
  auto saved = decode<SavedFirewall>(json);
  if (!saved.ok()) return std::move(saved).error().during("reading a snapshot of the firewall");
  return saved;
}

Result<void> restore_files(const SavedFirewall& saved, System& machine) {
  for (const auto& file : saved.files) SENTINEL_CHECK(restore_file(file, machine));
  return {};
}

}  // namespace

Result<std::string> capture_firewall(Reader& machine) {
  SavedFirewall saved;
  for (const char* path : kPaths) {
    SENTINEL_TRY(auto file, capture_file(path, machine));
    saved.files.push_back(std::move(file));
  }
  SENTINEL_TRY(saved.parameters, capture_parameters(machine));
  SENTINEL_TRY(const auto v4, read_filter_table(Family::kV4, machine));
  SENTINEL_TRY(const auto v6, read_filter_table(Family::kV6, machine));
  saved.v4 = capture_family(v4);
  saved.v6 = capture_family(v6);
  return to_text(nlohmann::json(saved));
}

Result<void> restore_firewall(const std::string& snapshot, System& machine) {
  SENTINEL_TRY(const auto saved, parse_snapshot(snapshot));
  SENTINEL_CHECK(restore_files(saved, machine));
  SENTINEL_CHECK(restore_parameters(saved.parameters, machine));
  // Both are tried: half a firewall back is better than none.
  auto v4 = restore_family(Family::kV4, saved.v4, machine);
  auto v6 = restore_family(Family::kV6, saved.v6, machine);
  return v4.ok() ? std::move(v6) : std::move(v4);
}

Result<void> restore_firewall_files(const std::string& snapshot, System& machine) {
  SENTINEL_TRY(const auto saved, parse_snapshot(snapshot));
  return restore_files(saved, machine);
}

}  // namespace sentinel
