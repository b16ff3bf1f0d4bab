// SPDX-License-Identifier: Apache-2.0
#include "core/checks/fail2ban_files.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <vector>

namespace sentinel {
namespace {

constexpr const char* kDirectory = "/etc/fail2ban/";

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? std::string() : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// Section and option to value, as Python's configparser reads them.
using Options = std::map<std::string, std::map<std::string, std::string>>;

void read_options(const std::string& text, Options& out) {
  std::istringstream lines(text);
  std::string line;
  std::string section;
  std::string* last = nullptr;
  while (std::getline(lines, line)) {
    const auto words = trimmed(line);
    if (words.empty() || words.front() == '#' || words.front() == ';') continue;
    if (line.front() == ' ' || line.front() == '\t') {
      if (last != nullptr) *last += "\n" + words;
      continue;
    }
    if (words.front() == '[') {
      section = words.substr(1, words.find(']') - 1);
      last = nullptr;
      continue;
    }
    const auto sign = words.find_first_of("=:");
    if (sign == std::string::npos) continue;
    auto name = trimmed(words.substr(0, sign));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    last = &(out[section][name] = trimmed(words.substr(sign + 1)));
  }
}

/// The files of jail.d that end so, by name.
Result<std::vector<std::string>> files_of(const char* suffix, Reader& machine) {
  std::vector<std::string> out;
  auto names = machine.list(std::string(kDirectory) + "jail.d");
  if (!names.ok() && names.error().code == "system.ENOENT") return out;
  if (!names.ok()) return std::move(names).error();
  std::sort(names->begin(), names->end());
  for (const auto& name : *names) {
    if (name.ends_with(suffix)) out.push_back(std::string(kDirectory) + "jail.d/" + name);
  }
  return out;
}

/// The value with the options it refers to, %(name)s, in place of the references. One that leads to itself, or nowhere,
/// stays.
std::string resolved(std::string value, const std::map<std::string, std::string>& options) {
  constexpr int kMostReferences = 100;
  std::size_t from = 0;
  for (int i = 0; i < kMostReferences; ++i) {
    const auto begin = value.find("%(", from);
    const auto end = begin == std::string::npos ? begin : value.find(")s", begin);
    if (end == std::string::npos) break;
    const auto found = options.find(value.substr(begin + 2, end - begin - 2));
    if (found == options.end()) {
      from = end;
    } else {
      value.replace(begin, end + 2 - begin, found->second);
    }
  }
  return value;
}

}  // namespace

Result<std::map<std::string, std::string>> jail_options(const std::string& jail, Reader& machine) {
  Options all;
  for (const char* suffix : {".conf", ".local"}) {
    std::vector<std::string> files{std::string(kDirectory) + "jail" + suffix};
    SENTINEL_TRY(const auto more, files_of(suffix, machine));
    files.insert(files.end(), more.begin(), more.end());
    for (const auto& file : files) {
      SENTINEL_TRY(const auto status, machine.status(file));
      if (status.type == FileType::kAbsent) continue;
      SENTINEL_TRY(const auto text, machine.read_file(file));
      read_options(text, all);
    }
  }
  auto out = all[jail];
  out.insert(all["DEFAULT"].begin(), all["DEFAULT"].end());
  const auto unresolved = out;
  for (auto& [name, value] : out) value = resolved(value, unresolved);
  return out;
}

std::optional<std::int64_t> jail_seconds(const std::string& text) {
  // Lengths as in fail2ban/server/mytime.py: a month is a twelfth of a year of 365.25 days.
  static const std::map<std::string, std::int64_t> kUnits{
      {"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}, {"mo", 2629800}, {"y", 31557600}};
  std::int64_t sum = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  if (at == end) return std::nullopt;
  while (at < end) {
    if (*at == ' ') {
      ++at;
      continue;
    }
    std::int64_t number = 0;
    const auto read = std::from_chars(at, end, number);
    if (read.ec != std::errc()) return std::nullopt;
    const char* const unit_end = std::find_if(read.ptr, end, [](char c) { return c < 'a' || c > 'z'; });
    const auto unit = kUnits.find(std::string(read.ptr, unit_end));
    if (unit == kUnits.end()) return std::nullopt;
    sum += number * unit->second;
    at = unit_end;
  }
  return sum;
}

}  // namespace sentinel
