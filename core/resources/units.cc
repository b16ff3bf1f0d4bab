// SPDX-License-Identifier: Apache-2.0
// Times are asked for in UTC with microseconds; an older systemctl answers the same request with seconds.
#include "core/resources/units.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace sentinel {
namespace {

template <typename T>
bool read_number(std::string_view text, std::size_t at, std::size_t length, T& value) {
  if (at + length > text.size()) return false;
  const char* begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + length, value);
  return error == std::errc() && end == begin + length;
}

Result<void> take_property(std::string_view line, UnitStatus& unit) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) {
    return Error("systemd.malformed", fmt::format("systemctl show printed a line without '=': {}", line));
  }
  const auto key = line.substr(0, equals);
  const std::string value(line.substr(equals + 1));
  if (key == "LoadState") unit.load_state = value;
  if (key == "ActiveState") unit.active_state = value;
  if (key == "SubState") unit.sub_state = value;
  if (key == "UnitFileState") unit.file_state = value;
  if (key == "NeedDaemonReload") unit.needs_daemon_reload = value == "yes";
  if (key == "MainPID" && !read_number(value, 0, value.size(), unit.main_pid)) {
    return Error("systemd.malformed", fmt::format("systemctl show printed no number of a process: {}", line));
  }
  if (key == "StateChangeTimestamp") {
    SENTINEL_TRY(unit.changed_ns, parse_unit_time(value));
  }
  return {};
}

struct ShownUnits {
  std::map<std::string, UnitStatus> by_name;
};

}  // namespace

Result<std::map<std::string, UnitStatus>> show_units(const std::vector<std::string>& names, Reader& machine) {
  if (names.empty()) return std::map<std::string, UnitStatus>{};
  CommandLine command;
  command.argv = {"systemctl", "show", "--timestamp=us+utc",
                  "--property=LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,StateChangeTimestamp,MainPID",
                  "--"};
  command.argv.insert(command.argv.end(), names.begin(), names.end());
  SENTINEL_TRY(const auto result, machine.query(command));
  if (result.status != 0) {
    return Error("systemd.unreachable",
                 fmt::format("systemctl show ended with status {}: {}", result.status, result.errors),
                 "is systemd running as process 1?");
  }
  return parse_units(names, result.output);
}

Result<UnitStatus> unit_status(Look& look, const std::string& name) {
  if (look.expected_units().count(name) == 0) {
    SENTINEL_TRY(auto alone, show_units({name}, look.machine()));
    return std::move(alone.at(name));
  }
  SENTINEL_TRY(const auto* units, look.shared<ShownUnits>([&]() -> Result<ShownUnits> {
    const auto& expected = look.expected_units();
    SENTINEL_TRY(auto shown, show_units({expected.begin(), expected.end()}, look.machine()));
    return ShownUnits{std::move(shown)};
  }));
  const auto found = units->by_name.find(name);
  if (found != units->by_name.end()) return found->second;
  SENTINEL_TRY(auto alone, show_units({name}, look.machine()));
  return std::move(alone.at(name));
}

Result<std::map<std::string, UnitStatus>> parse_units(const std::vector<std::string>& names, std::string_view output) {
  std::vector<UnitStatus> units;
  bool inside = false;
  while (!output.empty()) {
    const auto end = output.find('\n');
    const auto line = output.substr(0, end);
    output.remove_prefix(end == std::string_view::npos ? output.size() : end + 1);
    if (line.empty()) {
      inside = false;
      continue;
    }
    if (!inside) units.emplace_back();
    inside = true;
    SENTINEL_CHECK(take_property(line, units.back()));
  }
  if (units.size() != names.size()) {
    return Error("systemd.malformed", fmt::format("systemctl show described {} units where {} were asked about",
                                                  units.size(), names.size()));
  }
  std::map<std::string, UnitStatus> out;
  for (std::size_t i = 0; i < names.size(); ++i) out.emplace(names[i], std::move(units[i]));
  return out;
}

Result<std::int64_t> parse_unit_time(std::string_view text) {
  if (text.empty() || text == "n/a") return std::int64_t{0};
  const Error malformed("systemd.malformed", fmt::format("systemctl show printed a time we can't read: {}", text));
  // "Sat 2026-11-21 01:57:23[.107938] UTC"
  const auto date = text.find(' ') + 1;

  struct tm when {};

  if (date == 0 || !read_number(text, date, 4, when.tm_year) || !read_number(text, date + 5, 2, when.tm_mon) ||
      !read_number(text, date + 8, 2, when.tm_mday) || !read_number(text, date + 11, 2, when.tm_hour) ||
      !read_number(text, date + 14, 2, when.tm_min) || !read_number(text, date + 17, 2, when.tm_sec) ||
      text.size() < 4 || text.substr(text.size() - 4) != " UTC") {
    return malformed;
  }
  when.tm_year -= 1900;
  when.tm_mon -= 1;
  std::int64_t microseconds = 999'999;
  const auto rest = text.substr(date + 19);
  if (rest[0] == '.' && (rest.size() != 11 || !read_number(rest, 1, 6, microseconds))) return malformed;
  const std::int64_t seconds = ::timegm(&when);
  return (seconds * 1'000'000 + microseconds) * 1'000;
}

bool is_unit_name(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kSuffixes{".service", ".socket", ".timer", ".target",
                                                             ".mount",   ".path",   ".slice", ".automount"};
  if (name.size() > 255 || name.empty() || name[0] == '.' || name[0] == '-') return false;
  const bool known = std::any_of(kSuffixes.begin(), kSuffixes.end(), [&](std::string_view suffix) {
    return name.size() > suffix.size() && name.substr(name.size() - suffix.size()) == suffix;
  });
  return known && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view(":_.\\@-").find(c) != std::string_view::npos;
         });
}

}  // namespace sentinel
