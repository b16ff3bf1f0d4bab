// SPDX-License-Identifier: Apache-2.0
// One pass over the file; only four fields of a stanza are looked at, the rest (descriptions, file lists) is skipped by
// line.
#include "core/resources/dpkg_status.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace sentinel {
namespace {

struct Stanza {
  std::size_t line = 0;
  std::string_view name;
  std::string_view status;
  std::string_view architecture;
  std::string_view version;
  bool any = false;
};

bool take_field(std::string_view line, std::string_view field, std::string_view& value) {
  if (line.size() <= field.size() || line.substr(0, field.size()) != field || line[field.size()] != ':') return false;
  value = line.substr(field.size() + 1);
  const auto first = value.find_first_not_of(" \t");
  value = first == std::string_view::npos ? std::string_view() : value.substr(first);
  return true;
}

std::optional<PackageState> state_of(std::string_view status) {
  const auto first = status.find(' ');
  const auto second = first == std::string_view::npos ? first : status.find(' ', first + 1);
  if (second == std::string_view::npos || status.find(' ', second + 1) != std::string_view::npos) return std::nullopt;
  const auto word = status.substr(second + 1);
  if (word == "installed" || word == "triggers-pending" || word == "triggers-awaited") return PackageState::kInstalled;
  if (word == "not-installed" || word == "config-files") return PackageState::kAbsent;
  return PackageState::kBroken;
}

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

Result<DpkgStatus> DpkgStatus::parse(std::string_view text) {
  DpkgStatus out;
  Stanza stanza;
  std::size_t number = 0;

  const auto finish = [&]() -> Result<void> {
    if (!stanza.any) return {};
    const auto state = state_of(stanza.status);
    if (stanza.name.empty() || !state) {
      return Error("dpkg.malformed", fmt::format("{}:{}: {}", kDpkgStatusPath, stanza.line,
                                                 stanza.name.empty() ? "a stanza without a package name"
                                                                     : "a status that is not three words"));
    }
    out.packages_[std::string(stanza.name)].push_back(
        {std::string(stanza.architecture), std::string(stanza.version), *state});
    stanza = Stanza{};
    return {};
  };

  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty()) {
      SENTINEL_CHECK(finish());
      continue;
    }
    if (!stanza.any) stanza.line = number;
    stanza.any = true;
    if (line[0] == 'P') take_field(line, "Package", stanza.name);
    if (line[0] == 'S') take_field(line, "Status", stanza.status);
    if (line[0] == 'A') take_field(line, "Architecture", stanza.architecture);
    if (line[0] == 'V') take_field(line, "Version", stanza.version);
  }
  SENTINEL_CHECK(finish());
  return out;
}

PackageState DpkgStatus::state(const std::string& name) const {
  const auto found = packages_.find(name);
  if (found == packages_.end()) return PackageState::kAbsent;
  PackageState state = PackageState::kAbsent;
  for (const auto& entry : found->second) {
    if (entry.state == PackageState::kInstalled) return PackageState::kInstalled;
    if (entry.state == PackageState::kBroken) state = PackageState::kBroken;
  }
  return state;
}

std::string DpkgStatus::version(const std::string& name) const {
  const auto found = packages_.find(name);
  if (found == packages_.end()) return "";
  for (const auto& entry : found->second) {
    if (entry.state == PackageState::kInstalled) return entry.version;
  }
  return "";
}

std::vector<std::string> DpkgStatus::present() const {
  std::vector<std::string> out;
  for (const auto& [name, entries] : packages_) {
    for (const auto& entry : entries) {
      if (entry.state != PackageState::kAbsent) out.push_back(fmt::format("{}:{}", name, entry.architecture));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<const DpkgStatus*> dpkg_status(Look& look) {
  return look.shared<DpkgStatus>([&]() -> Result<DpkgStatus> {
    auto text = look.machine().read_file(kDpkgStatusPath);
    if (!text.ok() && text.error().code == "system.ENOENT") return DpkgStatus{};
    if (!text.ok()) return std::move(text).error();
    return DpkgStatus::parse(*text);
  });
}

bool is_package_name(std::string_view name) {
  if (name.size() < 2 || !is_lower_or_digit(name[0])) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_lower_or_digit(c) || c == '+' || c == '-' || c == '.'; });
}

}  // namespace sentinel
