// SPDX-License-Identifier: Apache-2.0
// Updates and package sources, judged on recorded answers.
#include <catch2/catch.hpp>

#include "core/audit/times.h"
#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

json unit() {
  return {{"load", "loaded"}, {"active", "active"}, {"file_state", "enabled"}};
}

json apt() {
  return {{"installed", true},
          {"periodic", {{"update", "1"}, {"upgrade", "1"}}},
          {"excepted", json::array()},
          {"unsigned", ""},
          {"origins", {"origin=Debian,codename=${distro_codename}-security,label=Debian-Security"}},
          {"names", {{"distro_id", "Debian"}, {"distro_codename", "bookworm"}}},
          {"security",
           {{"lists", 3},
            {"unread", json::array()},
            {"pending", json::array()},
            {"archives",
             {{{"name", "security.debian.org_dists_bookworm-security"},
               {"origin", "Debian"},
               {"label", "Debian-Security"},
               {"suite", "stable-security"},
               {"codename", "bookworm-security"},
               {"fetched_ns", *nanoseconds_of("2026-11-26T06:00:00.000Z")},
               {"valid_until_ns", *nanoseconds_of("2026-12-02T06:00:00.000Z")}}}}}},
          {"winners",
           {{"APT::Periodic::Update-Package-Lists", "/etc/apt/apt.conf.d/90-sentinel-updates"},
            {"APT::Periodic::Unattended-Upgrade", "/etc/apt/apt.conf.d/90-sentinel-updates"}}},
          {"stamps", {{"update", *nanoseconds_of("2026-11-26T06:00:00.000Z")}, {"upgrade", 0}}},
          {"installed_ns", *nanoseconds_of("2026-10-01T06:00:00.000Z")},
          {"broken", json::array()},
          {"held", json::array()},
          {"reboot_required", false},
          {"sources",
           {{{"file", "/etc/apt/sources.list"},
             {"line", 1},
             {"uri", "http://deb.debian.org/debian"},
             {"signed_by", ""},
             {"trusted", ""},
             {"insecure", ""}}}}};
}

const json kTimers{{"apt-daily.timer", unit()},
                   {"apt-daily-upgrade.timer", unit()},
                   {"apt-daily.service", unit()},
                   {"apt-daily-upgrade.service", unit()}};
const json kUpdates{{"most_age_hours", 48}};

Finding updates(const json& value) {
  return judged("security-updates", kUpdates, record_of({{"apt", value}, {"units", kTimers}}));
}

[[maybe_unused]] const bool kPasses = passes("security-updates", kUpdates, {{"apt", apt()}, {"units", kTimers}}) &
                                      passes("package-sources", json::object(), {{"apt", apt()}});

}  // namespace

TEST_CASE("updates: on and lately; each way to be off; trap apt-later-file") {
  CHECK(updates(apt()).verdict == Verdict::kPass);
  auto off = with_value(apt(), "/periodic/upgrade", "0");
  off["winners"]["APT::Periodic::Unattended-Upgrade"] = "/etc/apt/apt.conf.d/99-off";
  CHECK(updates(off).verdict == Verdict::kFail);
  CHECK(has_trap(updates(off), "apt-later-file"));
  CHECK(updates(with_value(apt(), "/origins", json::array())).verdict == Verdict::kFail);
  CHECK(updates(with_value(apt(), "/installed", false)).verdict == Verdict::kFail);
  CHECK(updates(with_value(apt(), "/stamps/update", *nanoseconds_of("2026-11-20T06:00:00.000Z"))).verdict ==
        Verdict::kFail);
  CHECK(updates(with_value(apt(), "/broken", {"bash"})).verdict == Verdict::kFail);
  CHECK(updates(with_value(apt(), "/held", {"openssl"})).verdict == Verdict::kWarn);
  CHECK(updates(with_value(apt(), "/reboot_required", true)).verdict == Verdict::kWarn);
}

TEST_CASE("package sources: of others with a key, from the network") {
  const auto source = [](const std::string& uri, const std::string& key, const std::string& trusted) {
    const json entry{{"file", "/etc/apt/sources.list.d/x.list"},
                     {"line", 1},
                     {"uri", uri},
                     {"signed_by", key},
                     {"trusted", trusted},
                     {"insecure", ""}};
    return judged("package-sources", json::object(),
                  record_of({{"apt", with_value(apt(), "/sources", json::array({entry}))}}))
        .verdict;
  };
  CHECK(source("https://packages.example.net/deb", "/etc/apt/keyrings/x.asc", "") == Verdict::kPass);
  CHECK(source("https://packages.example.net/deb", "", "") == Verdict::kFail);
  CHECK(source("https://packages.example.net/deb", "/etc/apt/keyrings/x.asc", "yes") == Verdict::kFail);
  CHECK(source("file:/srv/repo", "", "yes") == Verdict::kPass);
}

TEST_CASE("updates that wait: none, for the next run, left out by the last one, for too long") {
  const auto waiting = with_value(
      apt(), "/security/pending",
      {{{"package", "openssl"}, {"installed", "3.0.15-1"}, {"offered", "3.0.17-1"}, {"archive", "security"}}});
  CHECK(updates(waiting).verdict == Verdict::kWarn);
  CHECK(updates(waiting).actual.find("openssl 3.0.15-1 -> 3.0.17-1") != std::string::npos);
  const auto ran = [&](const std::string& when) {
    return updates(with_value(waiting, "/stamps/upgrade", *nanoseconds_of(when))).verdict;
  };
  CHECK(ran("2026-11-26T05:00:00.000Z") == Verdict::kWarn);
  CHECK(ran("2026-11-26T07:00:00.000Z") == Verdict::kFail);
  const auto old = *nanoseconds_of("2026-11-24T06:00:00.000Z");
  CHECK(updates(with_value(waiting, "/security/archives/0/fetched_ns", old)).verdict == Verdict::kFail);
  CHECK(updates(with_value(apt(), "/security/archives/0/fetched_ns", old)).verdict == Verdict::kPass);
}

TEST_CASE("what the lists are of: no list is unknown, none for security fails, one that is over or not covered too") {
  CHECK(updates(with_value(apt(), "/security/lists", 0)).verdict == Verdict::kUnknown);
  CHECK(updates(with_value(apt(), "/security/unread", {"Packages.lz4: denied"})).verdict == Verdict::kUnknown);
  CHECK(updates(with_value(apt(), "/security/archives", json::array())).verdict == Verdict::kFail);
  CHECK(updates(with_value(apt(), "/security/archives/0/valid_until_ns", *nanoseconds_of("2026-11-26T11:00:00.000Z")))
            .verdict == Verdict::kFail);
  const auto patterns = [](const json& list) { return updates(with_value(apt(), "/origins", list)).verdict; };
  CHECK(patterns({"origin=Debian,codename=${distro_codename},label=Debian"}) == Verdict::kFail);
  CHECK(patterns({"origin=Debian,codename=bullseye-security,label=Debian-Security"}) == Verdict::kFail);
  CHECK(patterns({"Debian:stable-security"}) == Verdict::kPass);
  CHECK(patterns({"${distro_id}:${distro_codename}-security"}) == Verdict::kFail);
  CHECK(patterns({"o=*,l=Debian-*"}) == Verdict::kPass);
  CHECK(patterns({"o=Debian,colour=blue"}) == Verdict::kFail);
}

}  // namespace sentinel
