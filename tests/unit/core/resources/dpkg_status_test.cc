// SPDX-License-Identifier: Apache-2.0
// dpkg's status file: which packages count as there, and what a damaged file is answered with.
#include "core/resources/dpkg_status.h"

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

constexpr const char* kStatus =
    "Package: adduser\nStatus: install ok installed\nPriority: important\nArchitecture: all\nVersion: 3.134\n"
    "Description: add and remove users\n Package: not a field, a continuation\n .\n Status: neither\n"
    "\n"
    "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9\n"
    "\n"
    "Package: libc6\nStatus: deinstall ok config-files\nArchitecture: i386\nVersion: 2.36-9\n"
    "\n"
    "Package: caddy\nStatus: install ok half-configured\nArchitecture: amd64\nVersion: 2.6.2-5\n"
    "\n"
    "Package: man-db\nStatus: install ok triggers-pending\nArchitecture: amd64\nVersion: 2.11\n"
    "\n"
    "Package: nano\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 7.2\n";

TEST_CASE("a package counts as installed when it or its triggers are all that is left to do") {
  const auto status = DpkgStatus::parse(kStatus);
  REQUIRE(status.ok());
  CHECK(status->state("adduser") == PackageState::kInstalled);
  CHECK(status->state("man-db") == PackageState::kInstalled);
  CHECK(status->state("libc6") == PackageState::kInstalled);
  CHECK(status->state("nano") == PackageState::kAbsent);
  CHECK(status->state("unheard-of") == PackageState::kAbsent);
  CHECK(status->state("caddy") == PackageState::kBroken);
  CHECK(status->version("adduser") == "3.134");
  CHECK(status->version("nano").empty());
}

TEST_CASE("present packages are listed with their architecture and sorted") {
  const auto status = DpkgStatus::parse(kStatus);
  REQUIRE(status.ok());
  CHECK(status->present() == std::vector<std::string>{"adduser:all", "caddy:amd64", "libc6:amd64", "man-db:amd64"});
}

TEST_CASE("an empty status file is a machine without packages") {
  const auto status = DpkgStatus::parse("");
  REQUIRE(status.ok());
  CHECK(status->present().empty());
}

TEST_CASE("a damaged status file is an error that names the stanza's line") {
  const auto nameless =
      DpkgStatus::parse("Package: a1\nStatus: install ok installed\n\nStatus: install ok installed\n");
  REQUIRE_FALSE(nameless.ok());
  CHECK(nameless.error().code == "dpkg.malformed");
  CHECK(nameless.error().message.find(":4:") != std::string::npos);
  CHECK_FALSE(DpkgStatus::parse("Package: a1\nStatus: installed\n").ok());
  CHECK_FALSE(DpkgStatus::parse("Package: a1\nStatus: install ok really installed\n").ok());
}

TEST_CASE("package names follow the policy") {
  CHECK(is_package_name("libstdc++6"));
  CHECK(is_package_name("docker.io"));
  for (const char* bad : {"", "a", "-rf", "Caddy", "caddy=2", "caddy/sid", "caddy redis", "../x", "caddy\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_package_name(bad));
  }
}

}  // namespace
}  // namespace sentinel
