// SPDX-License-Identifier: Apache-2.0
// program: {path: {package, state: installed|absent|broken, version, exists, recorded: MD5 that came with the package |
//          null, untouched: not changed since dpkg put it there, found: MD5 of a file that was, pid: of its service |
//          0, exe: what runs there, " (deleted)" behind it when that was replaced}}
#include <fmt/format.h>

#include <sstream>

#include "core/checks/families.h"
#include "core/resources/dpkg_status.h"
#include "core/resources/units.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr const char* kInfo = "/var/lib/dpkg/info/";

/// dpkg keeps these files by the package's name, with its architecture behind it where several may be installed.
Result<std::string> info_file(const std::string& package, const char* suffix, const Inquiry& inquiry) {
  SENTINEL_TRY(const auto* packages, dpkg_status(inquiry.look));
  std::vector<std::string> names{package};
  for (const auto& present : packages->present()) {
    if (present.starts_with(package + ":")) names.push_back(present);
  }
  for (const auto& name : names) {
    const auto path = kInfo + name + suffix;
    SENTINEL_TRY(const auto status, inquiry.machine().status(path));
    if (status.type == FileType::kRegular) return path;
  }
  return std::string();
}

/// Of a line "<MD5>  usr/bin/caddy"; null when there is none.
Result<json> recorded_digest(const std::string& package, const std::string& path, const Inquiry& inquiry) {
  SENTINEL_TRY(const auto file, info_file(package, ".md5sums", inquiry));
  if (file.empty()) return json(nullptr);
  SENTINEL_TRY(const auto text, inquiry.machine().read_file(file));
  std::istringstream lines(text);
  std::string digest;
  std::string name;
  while (lines >> digest && std::getline(lines >> std::ws, name)) {
    if ("/" + name == path) return json(digest);
  }
  return json(nullptr);
}

/// Reading a program whole costs more than all else an audit does; one that nobody touched since dpkg wrote its list
/// of files is what dpkg put there. The time is that of the inode, which no program can set.
Result<bool> is_untouched(const std::string& package, const FileStatus& status, const Inquiry& inquiry) {
  if (status.type != FileType::kRegular) return false;
  SENTINEL_TRY(const auto list, info_file(package, ".list", inquiry));
  if (list.empty()) return false;
  SENTINEL_TRY(const auto written, inquiry.machine().status(list));
  return status.changed_ns <= written.changed_ns;
}

/// In pieces: a program in memory would be more than an audit may take.
Result<std::string> digest_of(const std::string& path, const Inquiry& inquiry) {
  CommandLine command;
  command.argv = {"md5sum", "--", path};
  SENTINEL_TRY(const auto done, inquiry.machine().query(command));
  if (done.status != 0) return Error("probe.failed", "md5sum: " + done.reason());
  constexpr std::size_t kDigits = 32;
  if (done.output.find_first_not_of("0123456789abcdef") != kDigits)
    return Error("probe.failed", "md5sum printed no digest of " + path);
  return done.output.substr(0, kDigits);
}

Result<json> look_at(const json& order, const Inquiry& inquiry) {
  const auto package = order.at("package").get<std::string>();
  const auto path = order.at("path").get<std::string>();
  const auto unit = order.at("unit").get<std::string>();
  if (!is_package_name(package) || !path.starts_with('/') || !is_unit_name(unit))
    return Error("probe.order", fmt::format("no package, path and unit: {}", order.dump()));
  SENTINEL_TRY(const auto* packages, dpkg_status(inquiry.look));
  const auto state = packages->state(package);
  json out{{"package", package},
           {"state", state == PackageState::kInstalled ? "installed"
                     : state == PackageState::kBroken  ? "broken"
                                                       : "absent"},
           {"version", packages->version(package)},
           {"found", ""},
           {"exe", ""}};
  SENTINEL_TRY(out["recorded"], recorded_digest(package, path, inquiry));
  SENTINEL_TRY(const auto status, inquiry.machine().status(path));
  out["exists"] = status.type != FileType::kAbsent;
  SENTINEL_TRY(const bool untouched, is_untouched(package, status, inquiry));
  out["untouched"] = untouched;
  if (status.type == FileType::kRegular && !untouched) {
    SENTINEL_TRY(out["found"], digest_of(path, inquiry));
  }
  SENTINEL_TRY(const auto shown, unit_status(inquiry.look, unit));
  out["pid"] = shown.main_pid;
  if (shown.main_pid != 0) {
    SENTINEL_TRY(out["exe"], inquiry.machine().read_link(fmt::format("/proc/{}/exe", shown.main_pid)));
  }
  return out;
}

Result<Answer> look_at_programs(const Inquiry& inquiry) {
  Answer out{json::object(), "/var/lib/dpkg, /proc/PID/exe"};
  for (const auto& order : inquiry.with.at("programs")) {
    SENTINEL_TRY(out.value[order.at("path").get<std::string>()], look_at(order, inquiry));
  }
  return out;
}

}  // namespace

HostProbes program_probes() {
  return {{"program", look_at_programs}};
}

}  // namespace sentinel
