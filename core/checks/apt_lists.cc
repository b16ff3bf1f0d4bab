// SPDX-License-Identifier: Apache-2.0
// Files are named by what they were fetched from (apt calls it the URI's file name): an archive's InRelease or Release,
// and Packages that begin with the same prefix.
#include "core/checks/apt_lists.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/checks/debian_version.h"
#include "core/resources/dpkg_status.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr const char* kLists = "/var/lib/apt/lists";
constexpr const char* kHelper = "/usr/lib/apt/apt-helper";
/// As apt may keep them (Acquire::GzipIndexes, Acquire::CompressionTypes).
constexpr std::array kCompressed{".lz4", ".zst", ".gz", ".xz", ".lzma", ".bz2"};

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string_view value_of(std::string_view line, std::string_view field) {
  if (!line.starts_with(field) || line.size() <= field.size() || line[field.size()] != ':') return {};
  line.remove_prefix(field.size() + 1);
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return line;
}

/// "Wed, 02 Dec 2026 02:22:30 UTC" (RFC 1123, always UTC); 0 for anything else.
std::int64_t nanoseconds_of(const std::string& date) {
  struct tm when {};

  const char* rest = ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S", &when);
  return rest == nullptr ? 0 : static_cast<std::int64_t>(::timegm(&when)) * 1'000'000'000;
}

/// The fields of an archive's Release; signed ones stand between lines of their own.
json archive_of(std::string_view text) {
  json out{{"origin", ""}, {"label", ""}, {"suite", ""}, {"codename", ""}, {"valid_until_ns", 0}};
  while (!text.empty()) {
    const auto line = take_line(text);
    // The sums of its files, thousands of lines, come last.
    if (line.starts_with("MD5Sum:") || line.starts_with("SHA1:") || line.starts_with("SHA256:")) break;
    for (const auto& [field, key] : {std::pair("Origin", "origin"), std::pair("Label", "label"),
                                     std::pair("Suite", "suite"), std::pair("Codename", "codename")}) {
      if (const auto value = value_of(line, field); !value.empty()) out[key] = value;
    }
    if (const auto value = value_of(line, "Valid-Until"); !value.empty())
      out["valid_until_ns"] = nanoseconds_of(std::string(value));
  }
  return out;
}

/// Debian-Security by its label, Ubuntu's by its suite (jammy-security).
bool is_for_security(const json& archive) {
  return std::any_of(archive.begin(), archive.end(), [](const json& value) {
    if (!value.is_string()) return false;
    const auto& text = value.get_ref<const std::string&>();
    return text == "Debian-Security" || text.ends_with("-security");
  });
}

bool is_compressed(const std::string& name) {
  return std::any_of(kCompressed.begin(), kCompressed.end(), [&](const char* end) { return name.ends_with(end); });
}

Result<std::string> read_list(const std::string& path, Reader& machine) {
  if (!is_compressed(path)) return machine.read_file(path);
  CommandLine command;
  command.argv = {kHelper, "cat-file", path};
  SENTINEL_TRY(auto result, machine.query(command));
  if (result.status != 0) return Error("probe.failed", "apt-helper: " + result.reason());
  return std::move(result.output);
}

struct Offer {
  std::string version;
  std::string archive;
};

/// Offers that are newer than what is installed, the newest of each package. Error `probe.failed` for a text that has
/// no stanza and is not empty.
Result<void> compare(std::string_view text, const std::string& archive, const DpkgStatus& packages,
                     std::map<std::string, Offer>& newer) {
  std::string_view package;
  std::string_view version;
  bool any = text.empty();
  const auto finish = [&] {
    if (package.empty() || version.empty()) return;
    any = true;
    const std::string name(package);
    const auto installed = packages.version(name);
    if (!installed.empty() && compare_versions(installed, version) < 0) {
      auto& offer = newer[name];
      if (offer.version.empty() || compare_versions(offer.version, version) < 0)
        offer = {std::string(version), archive};
    }
  };
  while (!text.empty()) {
    const auto line = take_line(text);
    if (line.empty()) {
      finish();
      package = version = {};
    } else if (line.front() == 'P' && package.empty()) {
      package = value_of(line, "Package");
    } else if (line.front() == 'V' && version.empty()) {
      version = value_of(line, "Version");
    }
  }
  finish();
  return any ? Result<void>() : Error("probe.failed", "it names no package");
}

}  // namespace

Result<json> security_lists(Look& look) {
  Reader& machine = look.machine();
  json out{{"lists", 0}, {"archives", json::array()}, {"pending", json::array()}, {"unread", json::array()}};
  SENTINEL_TRY(const auto* packages, dpkg_status(look));
  SENTINEL_TRY(const auto names, machine.list(kLists));
  std::map<std::string, Offer> newer;
  for (const auto& name : names) {
    if (!name.ends_with("_InRelease") && !name.ends_with("_Release")) continue;
    const auto prefix = name.substr(0, name.rfind('_') + 1);
    // Older mirrors have a Release and its signature in a second file; where both forms lie there, the newer form
    // counts.
    if (name.ends_with("_Release") && std::binary_search(names.begin(), names.end(), prefix + "InRelease")) continue;
    out["lists"] = out["lists"].get<int>() + 1;
    const auto path = std::string(kLists) + "/" + name;
    const auto unread = [&](const std::string& file, const Error& why) {
      out["unread"].push_back(fmt::format("{}: {}", file, why.message));
    };
    const auto release = machine.read_file(path);
    if (!release.ok()) {
      unread(path, release.error());
      continue;
    }
    auto archive = archive_of(*release);
    if (!is_for_security(archive)) continue;
    SENTINEL_TRY(const auto status, machine.status(path));
    archive["name"] = prefix.substr(0, prefix.size() - 1);
    archive["fetched_ns"] = status.changed_ns;
    bool any = false;
    for (const auto& file : names) {
      if (!file.starts_with(prefix) || file.find("Packages", prefix.size()) == std::string::npos) continue;
      any = true;
      const auto list = std::string(kLists) + "/" + file;
      const auto text = read_list(list, machine);
      if (!text.ok()) {
        unread(list, text.error());
      } else if (const auto done = compare(*text, archive["name"], *packages, newer); !done.ok()) {
        unread(list, done.error());
      }
    }
    if (!any) out["unread"].push_back(path + ": no list of its packages is there");
    out["archives"].push_back(std::move(archive));
  }
  for (const auto& [name, offer] : newer) {
    out["pending"].push_back({{"package", name},
                              {"installed", packages->version(name)},
                              {"offered", offer.version},
                              {"archive", offer.archive}});
  }
  return out;
}

}  // namespace sentinel
