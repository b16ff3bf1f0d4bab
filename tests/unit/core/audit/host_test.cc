// SPDX-License-Identifier: Apache-2.0
// The system, its users, its parameters and its updates, judged on recorded answers.
#include <catch2/catch.hpp>

#include "core/audit/times.h"
#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

json unit() {
  return {{"load", "loaded"}, {"active", "active"}, {"file_state", "enabled"}};
}

json os() {
  return {{"id", "debian"},
          {"version", "12"},
          {"name", "Debian GNU/Linux 12 (bookworm)"},
          {"virtualization", "kvm"},
          {"kernel", {{"running", "6.1.0-10"}, {"installed", {"6.1.0-10"}}, {"newest", "6.1.0-10"}}}};
}

json apt() {
  return {{"installed", true},
          {"periodic", {{"update", "1"}, {"upgrade", "1"}}},
          {"excepted", json::array()},
          {"unsigned", ""},
          {"origins", {"origin=Debian,codename=bookworm-security,label=Debian-Security"}},
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
const json kSupported{{"supported", {{"debian-12", "2028-06-30"}}}};

Finding updates(const json& value) {
  return judged("security-updates", kUpdates, record_of({{"apt", value}, {"units", kTimers}}));
}

json parameter(const std::string& live, const std::string& boot) {
  json value = boot.empty() ? json(nullptr) : json{{"value", boot}, {"file", "/etc/ufw/sysctl.conf"}, {"line", 9}};
  return {{"net.ipv4.conf.all.log_martians", {{"live", live}, {"boot", value}, {"interfaces", json::object()}}}};
}

Finding sysctl(const json& value) {
  return judged("kernel-parameters", {{"values", {{"net.ipv4.conf.all.log_martians", "1"}}}},
                record_of({{"sysctl", value}}));
}

}  // namespace

TEST_CASE("the system: supported, past its end, another one, a kernel that waits") {
  const auto judge_os = [](const json& value) {
    return judged("os-supported", kSupported, record_of({{"os", value}})).verdict;
  };
  CHECK(judge_os(os()) == Verdict::kPass);
  CHECK(judge_os(with_value(os(), "/version", "10")) == Verdict::kFail);
  CHECK(judge_os(with_value(os(), "/kernel/newest", "6.1.0-11")) == Verdict::kWarn);
  CHECK(judged("os-supported", {{"supported", {{"debian-12", "2026-11-25"}}}}, record_of({{"os", os()}})).verdict ==
        Verdict::kFail);
  auto from_1970 = record_of({{"os", os()}});
  from_1970.taken_at = "1970-01-01T00:00:07.000Z";
  CHECK(judged("os-supported", kSupported, from_1970).verdict == Verdict::kUnknown);
  CHECK(first_that_is_not_unknown("os-supported", kSupported, {{"os", os()}}) == "");
}

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
  CHECK(first_that_is_not_unknown("security-updates", kUpdates, {{"apt", apt()}, {"units", kTimers}}) == "");
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

TEST_CASE("kernel parameters: now and at boot are two sides; trap sysctl-later-file") {
  CHECK(sysctl(parameter("1", "1")).verdict == Verdict::kPass);
  CHECK(sysctl(parameter("0", "1")).persistence == Persistence::kRuntimeOnly);
  CHECK(sysctl(parameter("1", "0")).persistence == Persistence::kBootOnly);
  CHECK(has_trap(sysctl(parameter("1", "0")), "sysctl-later-file"));
  CHECK(sysctl(parameter("1", "")).persistence == Persistence::kBootOnly);
  CHECK(first_that_is_not_unknown("kernel-parameters", {{"values", {{"net.ipv4.conf.all.log_martians", "1"}}}},
                                  {{"sysctl", parameter("1", "1")}}) == "");
}

TEST_CASE("users: root alone has uid 0, the deploy user is ordinary and can become root") {
  const json good{{"root_users", {"root"}},
                  {"groups", {{"docker", json::array()}}},
                  {"users",
                   {{"deploy",
                     {{"exists", true},
                      {"uid", 1000},
                      {"password", "locked"},
                      {"sudo", {"(root) NOPASSWD: AGENT"}},
                      {"sudo_knows_host", true}}}}}};
  const auto judge_user = [](const json& value) {
    return judged("deploy-user", {{"user", "deploy"}}, record_of({{"accounts", value}})).verdict;
  };
  CHECK(judge_user(good) == Verdict::kPass);
  CHECK(judge_user(with_value(good, "/root_users", {"root", "toor"})) == Verdict::kFail);
  CHECK(judge_user(with_value(good, "/users/deploy/password", "empty")) == Verdict::kFail);
  CHECK(judge_user(with_value(good, "/users/deploy/sudo", json::array())) == Verdict::kFail);
  CHECK(judge_user(with_value(good, "/groups/docker", {"deploy"})) == Verdict::kWarn);
  CHECK(judge_user(with_value(good, "/users/deploy/sudo_knows_host", false)) == Verdict::kWarn);
  CHECK(judge_user(with_value(good, "/users/deploy/exists", false)) == Verdict::kFail);
  CHECK(first_that_is_not_unknown("deploy-user", {{"user", "deploy"}}, {{"accounts", good}}) == "");
}

TEST_CASE("keys: one that sshd accepts; weak ones and open directories fail") {
  const json key{{"type", "ssh-ed25519"}, {"bits", 0}, {"fingerprint", "SHA256:x"}, {"options", ""}};
  const json good{{"deploy", {{"exists", true}, {"keys", json::array({key})}, {"problems", json::array()}}}};
  const auto judge_key = [](const json& value) {
    return judged("ssh-user-key", {{"user", "deploy"}}, record_of({{"ssh.keys", value}})).verdict;
  };
  CHECK(judge_key(good) == Verdict::kPass);
  CHECK(judge_key(with_value(good, "/deploy/keys", json::array())) == Verdict::kFail);
  CHECK(judge_key(with_value(good, "/deploy/keys/0",
                             {{"type", "ssh-rsa"}, {"bits", 1024}, {"fingerprint", "x"}, {"options", ""}})) ==
        Verdict::kFail);
  CHECK(judge_key(with_value(good, "/deploy/problems", {"/home/deploy can be written by others"})) == Verdict::kFail);
}

TEST_CASE("observed values: equal, one of several, bounds; what is missing is unknown") {
  const auto values = [](const json& expect, const json& value) {
    return judged("observed-values", {{"probe", "edge"}, {"expect", expect}}, record_of({{"edge", value}})).verdict;
  };
  CHECK(values({{"/ssl", "strict"}}, {{"ssl", "strict"}}) == Verdict::kPass);
  CHECK(values({{"/ssl", "strict"}}, {{"ssl", "flexible"}}) == Verdict::kFail);
  CHECK(values({{"/tls", {"1.2", "1.3"}}}, {{"tls", "1.2"}}) == Verdict::kPass);
  CHECK(values({{"/tls", {"1.2", "1.3"}}}, {{"tls", "1.0"}}) == Verdict::kFail);
  CHECK(values({{"/days", {{"min", 30}}}}, {{"days", 29}}) == Verdict::kFail);
  CHECK(values({{"/gap", {{"max", 30}}}}, {{"gap", "long"}}) == Verdict::kFail);
  CHECK(values({{"/ssl", "strict"}}, {{"other", 1}}) == Verdict::kUnknown);
  CHECK(values(json::object(), {{"other", 1}}) == Verdict::kUnknown);
}

}  // namespace sentinel
