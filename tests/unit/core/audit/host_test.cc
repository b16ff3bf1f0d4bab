// SPDX-License-Identifier: Apache-2.0
// The system, its users and its parameters, judged on recorded answers.
#include <catch2/catch.hpp>

#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

json os() {
  return {{"id", "debian"},
          {"version", "12"},
          {"name", "Debian GNU/Linux 12 (bookworm)"},
          {"virtualization", "kvm"},
          {"kernel", {{"running", "6.1.0-10"}, {"installed", {"6.1.0-10"}}, {"newest", "6.1.0-10"}}}};
}

const json kSupported{{"supported", {{"debian-12", "2028-06-30"}}}};

json parameter(const std::string& live, const std::string& boot) {
  json value = boot.empty() ? json(nullptr) : json{{"value", boot}, {"file", "/etc/ufw/sysctl.conf"}, {"line", 9}};
  return {{"net.ipv4.conf.all.log_martians", {{"live", live}, {"boot", value}, {"interfaces", json::object()}}}};
}

Finding sysctl(const json& value) {
  return judged("kernel-parameters", {{"values", {{"net.ipv4.conf.all.log_martians", "1"}}}},
                record_of({{"sysctl", value}}));
}

const json kAccounts{{"root_users", {"root"}},
                     {"groups", {{"docker", json::array()}}},
                     {"users",
                      {{"deploy",
                        {{"exists", true},
                         {"uid", 1000},
                         {"password", "locked"},
                         {"sudo", {"(root) NOPASSWD: AGENT"}},
                         {"sudo_knows_host", true}}}}}};
const json kKeys{{"deploy",
                  {{"exists", true},
                   {"keys", {{{"type", "ssh-ed25519"}, {"bits", 0}, {"fingerprint", "SHA256:x"}, {"options", ""}}}},
                   {"problems", json::array()}}}};
const json kRules{{"rules", {{{"path", "/var/log/app/*.log"}, {"rotate", 14}}}}};

json rotated() {
  return {
      {"rules",
       {{"/var/log/app/*.log",
         {{"file", "/etc/logrotate.d/app"}, {"daily", true}, {"rotate", 14}, {"compress", true}, {"create", "0640"}}}}},
      {"rotated_ns", 0}};
}

json timers(const std::string& state) {
  const json unit{{"load", "loaded"}, {"active", "active"}, {"file_state", state}};
  return {{"logrotate.timer", unit}, {"logrotate.service", unit}};
}

[[maybe_unused]] const bool kPasses =
    passes("os-supported", kSupported, {{"os", os()}}) &
    passes("kernel-parameters", {{"values", {{"net.ipv4.conf.all.log_martians", "1"}}}},
           {{"sysctl", parameter("1", "1")}}) &
    passes("deploy-user", {{"user", "deploy"}}, {{"accounts", kAccounts}}) &
    passes("ssh-user-key", {{"user", "deploy"}}, {{"ssh.keys", kKeys}}) &
    passes("log-rotation", kRules, {{"logs", rotated()}, {"units", timers("enabled")}}) &
    passes("observed-values", {{"probe", "edge"}, {"expect", {{"/ssl", "strict"}, {"/left/days", {{"min", 30}}}}}},
           {{"edge", {{"ssl", "strict"}, {"left", {{"days", 31}}}}}});

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
}

TEST_CASE("kernel parameters: now and at boot are two sides; trap sysctl-later-file") {
  CHECK(sysctl(parameter("1", "1")).verdict == Verdict::kPass);
  CHECK(sysctl(parameter("0", "1")).persistence == Persistence::kRuntimeOnly);
  CHECK(sysctl(parameter("1", "0")).persistence == Persistence::kBootOnly);
  CHECK(has_trap(sysctl(parameter("1", "0")), "sysctl-later-file"));
  CHECK(sysctl(parameter("1", "")).persistence == Persistence::kBootOnly);
}

TEST_CASE("users: root alone has uid 0, the deploy user is ordinary and can become root") {
  const auto judge_user = [](const json& value) {
    return judged("deploy-user", {{"user", "deploy"}}, record_of({{"accounts", value}})).verdict;
  };
  CHECK(judge_user(kAccounts) == Verdict::kPass);
  CHECK(judge_user(with_value(kAccounts, "/root_users", {"root", "toor"})) == Verdict::kFail);
  CHECK(judge_user(with_value(kAccounts, "/users/deploy/password", "empty")) == Verdict::kFail);
  CHECK(judge_user(with_value(kAccounts, "/users/deploy/sudo", json::array())) == Verdict::kFail);
  CHECK(judge_user(with_value(kAccounts, "/groups/docker", {"deploy"})) == Verdict::kWarn);
  CHECK(judge_user(with_value(kAccounts, "/users/deploy/sudo_knows_host", false)) == Verdict::kWarn);
  CHECK(judge_user(with_value(kAccounts, "/users/deploy/exists", false)) == Verdict::kFail);
}

TEST_CASE("keys: one that sshd accepts; weak ones and open directories fail") {
  const auto judge_key = [](const json& value) {
    return judged("ssh-user-key", {{"user", "deploy"}}, record_of({{"ssh.keys", value}})).verdict;
  };
  CHECK(judge_key(kKeys) == Verdict::kPass);
  CHECK(judge_key(with_value(kKeys, "/deploy/keys", json::array())) == Verdict::kFail);
  CHECK(judge_key(with_value(kKeys, "/deploy/keys/0",
                             {{"type", "ssh-rsa"}, {"bits", 1024}, {"fingerprint", "x"}, {"options", ""}})) ==
        Verdict::kFail);
  CHECK(judge_key(with_value(kKeys, "/deploy/problems", {"/home/deploy can be written by others"})) == Verdict::kFail);
}

TEST_CASE("logs: each rule as wanted, and the timer that applies it") {
  const auto logs = [](const json& value, const json& units) {
    return judged("log-rotation", kRules, record_of({{"logs", value}, {"units", units}})).verdict;
  };
  const std::string rule = "/rules/~1var~1log~1app~1*.log";
  CHECK(logs(rotated(), timers("enabled")) == Verdict::kPass);
  CHECK(logs(rotated(), timers("disabled")) == Verdict::kFail);
  CHECK(logs(with_value(rotated(), rule + "/daily", false), timers("enabled")) == Verdict::kFail);
  CHECK(logs(with_value(rotated(), rule + "/compress", false), timers("enabled")) == Verdict::kFail);
  CHECK(logs(with_value(rotated(), rule + "/rotate", 0), timers("enabled")) == Verdict::kFail);
  CHECK(logs({{"rules", {{"/var/log/other", 1}}}}, timers("enabled")) == Verdict::kFail);
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
  const json recent{{"/newest", {{"max_age_s", 300}}}};
  CHECK(values(recent, {{"newest", "2026-11-26T11:56:00Z"}}) == Verdict::kPass);
  CHECK(values(recent, {{"newest", "2026-11-26T12:56:00.5+01:00"}}) == Verdict::kPass);
  CHECK(values(recent, {{"newest", "2026-11-26T11:54:00Z"}}) == Verdict::kFail);
  CHECK(values(recent, {{"newest", "2026-11-26T11:56:00-01:00"}}) == Verdict::kPass);
  CHECK(values(recent, {{"newest", "1970-01-01T00:00:00Z"}}) == Verdict::kUnknown);
  CHECK(values(recent, {{"newest", ""}}) == Verdict::kUnknown);
  CHECK(values(json::object(), {{"other", 1}}) == Verdict::kUnknown);
}

}  // namespace sentinel
