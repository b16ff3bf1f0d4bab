// SPDX-License-Identifier: Apache-2.0
// What is installed, read from dpkg's own database file (format: deb-control(5), dpkg(1) "Package states") in a few
// milliseconds and without a process.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/resources/look.h"

namespace sentinel {

inline constexpr const char* kDpkgStatusPath = "/var/lib/dpkg/status";

/// What one package name amounts to, over all its architectures.
enum class PackageState {
  kAbsent,     ///< never seen, removed, or removed with its configuration files left
  kInstalled,  ///< installed, or installed with triggers to run
  kBroken,     ///< unpacked, half-configured, half-installed: a run of dpkg was cut short
};

class DpkgStatus {
 public:
  DpkgStatus() = default;
  /// Error `dpkg.malformed` with the line of a stanza without a name or with a status that isn't three words.
  static Result<DpkgStatus> parse(std::string_view text);

  PackageState state(const std::string& name) const;
  /// Version of an installed package (of its first architecture); empty otherwise.
  std::string version(const std::string& name) const;
  /// "name:architecture" of everything that is not absent, sorted: what PurgePackagesAddedSince compares.
  std::vector<std::string> present() const;

 private:
  struct Entry {
    std::string architecture;
    std::string version;
    PackageState state = PackageState::kAbsent;
  };

  std::map<std::string, std::vector<Entry>, std::less<>> packages_;
};

/// Read once per Look; a machine without the file has nothing installed.
Result<const DpkgStatus*> dpkg_status(Look& look);

/// Policy 5.6.1: lower-case letters, digits, plus, minus, period; at least two, the first alphanumeric.
bool is_package_name(std::string_view name);

}  // namespace sentinel
