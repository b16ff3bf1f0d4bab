// SPDX-License-Identifier: Apache-2.0
// Files below /run and /usr belong to programs and packages and are left alone; those in /etc can be edited.
#include "core/resources/sysctl_lines.h"

#include <algorithm>
#include <string_view>

#include "core/base/file.h"

namespace sentinel {
namespace {

constexpr const char* kDirectory = "/etc/sysctl.d";
constexpr const char* kUfwFile = "/etc/ufw/sysctl.conf";

std::string name_of(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1);
}

/// Whichever separator comes first separates; the other one then is part of a name (an interface "eth0.1").
std::string dotted(std::string key) {
  const auto first = key.find_first_of("./");
  if (first == std::string::npos || key[first] == '.') return key;
  for (char& c : key) c = c == '/' ? '.' : c == '.' ? '/' : c;
  return key;
}

/// What a link such as 99-sysctl.conf -> ../sysctl.conf stands for.
Result<std::string> target_of(const std::string& path, Reader& machine) {
  SENTINEL_TRY(const auto status, machine.status(path));
  if (status.type != FileType::kLink) return path;
  SENTINEL_TRY(auto target, machine.read_link(path));
  std::string directory = parent_directory(path);
  while (target.starts_with("../")) {
    target.erase(0, 3);
    directory = parent_directory(directory);
  }
  return target.starts_with('/') ? target : directory + "/" + target;
}

Result<std::vector<std::string>> files_after(const std::string& path, Reader& machine) {
  std::vector<std::string> files;
  SENTINEL_TRY(const auto names, machine.list(kDirectory));
  for (const auto& name : names) {
    if (!name.ends_with(".conf") || name <= name_of(path)) continue;
    SENTINEL_TRY(auto file, target_of(std::string(kDirectory) + "/" + name, machine));
    if (file.starts_with("/etc/") && file != path) files.push_back(std::move(file));
  }
  files.push_back(kUfwFile);
  return files;
}

}  // namespace

std::string folded(const std::string& value) {
  std::string out;
  for (const char c : value) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += c;
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::vector<SysctlLine> parse_sysctl(const std::string& text, const std::string& file) {
  std::vector<SysctlLine> lines;
  std::string_view rest = text;
  for (int number = 1; !rest.empty(); ++number) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    auto plain = folded(std::string(line));
    if (plain.empty() || plain.front() == '#' || plain.front() == ';') continue;
    if (plain.front() == '-') plain.erase(0, 1);  // "never mind if it fails"
    const auto equals = plain.find('=');
    if (equals == std::string::npos) continue;
    lines.push_back({dotted(folded(plain.substr(0, equals))), folded(plain.substr(equals + 1)), file, number});
  }
  return lines;
}

Result<std::vector<SysctlLine>> later_lines(const std::string& path, const std::map<std::string, std::string>& values,
                                            Reader& machine) {
  std::vector<SysctlLine> found;
  SENTINEL_TRY(const auto files, files_after(path, machine));
  for (const auto& file : files) {
    const auto text = machine.read_file(file);
    if (!text.ok()) {
      if (text.error().code == "system.ENOENT") continue;
      return text.error();
    }
    for (auto& line : parse_sysctl(*text, file)) {
      const auto wanted = values.find(line.key);
      if (wanted != values.end() && folded(wanted->second) != line.value) found.push_back(std::move(line));
    }
  }
  return found;
}

}  // namespace sentinel
