// SPDX-License-Identifier: Apache-2.0
// Lists as apt keeps them, shortened, against what dpkg says is installed.
#include "core/checks/apt_lists.h"

#include <catch2/catch.hpp>

#include "core/checks/debian_version.h"
#include "tests/support/fake_system.h"

using namespace sentinel;

namespace {

const std::string kPlace = "/var/lib/apt/lists/mirror_debian-security_dists_bookworm-security_";
const std::string kSigned =
    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nLabel: Debian-Security\n"
    "Suite: stable-security\nCodename: bookworm-security\nDate: Wed, 25 Nov 2026 02:22:30 UTC\n"
    "Valid-Until: Wed, 02 Dec 2026 02:22:30 UTC\nSHA256:\n 00 0 main/x\n";
const std::string kOffers =
    "Package: openssl\nSource: openssl\nVersion: 3.0.17-1~deb12u1\nArchitecture: amd64\n\n"
    "Package: bash\nVersion: 5.2.15-2\n\nPackage: absent\nVersion: 9\n";

FakeSystem installed() {
  FakeSystem machine;
  machine.put_file("/var/lib/dpkg/status",
                   "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.15-1~deb12u1\n\n"
                   "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2.15-2+b8\n");
  machine.put_file(kPlace + "InRelease", kSigned);
  return machine;
}

nlohmann::json lists(FakeSystem& machine) {
  Look look({machine, {}, {}, Secret("key"), {}});
  return *security_lists(look);
}

}  // namespace

TEST_CASE("Debian's order of versions") {
  const std::vector<std::string> ascending{"0",           "1.0~rc1-1",    "1.0-1",      "1.0-1+b1", "1.0-1.1",
                                           "1.0.1-1",     "1.9-1",        "1.10-1",     "1.10a-1",  "1.10+dfsg-1",
                                           "6.1.0-9-x64", "6.1.0-10-x64", "1:0.1-1~x+", "1:0.1-1",  "2:0~a"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      const int expected = i < j ? -1 : i > j ? 1 : 0;
      const int order = compare_versions(ascending[i], ascending[j]);
      CAPTURE(ascending[i], ascending[j], order);
      CHECK((order < 0 ? -1 : order > 0 ? 1 : 0) == expected);
    }
  }
  CHECK(compare_versions("1.0", "1.0-0") == 0);
  CHECK(compare_versions("1.01", "1.1") == 0);
}

TEST_CASE("what a security archive offers and the host hasn't") {
  auto machine = installed();
  machine.put_file(kPlace + "main_binary-amd64_Packages", kOffers);
  machine.put_file("/var/lib/apt/lists/mirror_debian_dists_bookworm_InRelease", "Origin: Debian\nLabel: Debian\n");
  machine.put_file("/var/lib/apt/lists/mirror_debian_dists_bookworm_main_binary-amd64_Packages",
                   "Package: bash\nVersion: 99\n");
  const auto seen = lists(machine);
  CHECK(seen.at("lists") == 2);
  REQUIRE(seen.at("archives").size() == 1);
  const auto& archive = seen.at("archives").front();
  CHECK(archive.at("codename") == "bookworm-security");
  CHECK(archive.at("valid_until_ns") == 1'796'178'150'000'000'000);
  CHECK(archive.at("fetched_ns").get<std::int64_t>() > 0);
  REQUIRE(seen.at("pending").size() == 1);
  CHECK(seen.at("pending").front().at("package") == "openssl");
  CHECK(seen.at("pending").front().at("offered") == "3.0.17-1~deb12u1");
  CHECK(seen.at("unread").empty());
}

TEST_CASE("Ubuntu names the pocket; of Release and InRelease one counts") {
  auto machine = installed();
  machine.erase(kPlace + "InRelease");
  for (const auto* form : {"InRelease", "Release"}) {
    machine.put_file(kPlace + form, "Origin: Ubuntu\nLabel: Ubuntu\nSuite: jammy-security\nCodename: jammy\n");
  }
  machine.put_file(kPlace + "main_binary-amd64_Packages", "");
  const auto seen = lists(machine);
  CHECK(seen.at("lists") == 1);
  CHECK(seen.at("archives").size() == 1);
  CHECK(seen.at("unread").empty());
}

TEST_CASE("compressed lists go through apt's helper; one that can't be read is said") {
  auto machine = installed();
  machine.put_file(kPlace + "main_binary-amd64_Packages.lz4", "\x04\x22");
  CommandResult unpacked;
  unpacked.output = kOffers;
  machine.on({"/usr/lib/apt/apt-helper", "cat-file"}, unpacked);
  CHECK(lists(machine).at("pending").size() == 1);
  CommandResult broken;
  broken.status = 100;
  CommandResult other;
  other.output = "Paket: openssl\n";
  for (const auto& answer : {broken, other}) {
    machine.on({"/usr/lib/apt/apt-helper", "cat-file"}, answer);
    CHECK(lists(machine).at("unread").size() == 1);
  }
  machine.erase(kPlace + "main_binary-amd64_Packages.lz4");
  CHECK(lists(machine).at("unread").size() == 1);
}

TEST_CASE("a host without lists") {
  FakeSystem machine;
  CHECK(lists(machine).at("lists") == 0);
}
