// SPDX-License-Identifier: Apache-2.0
// SSH judged on recorded answers: the compliant one, each way to be wrong, each trap by its name.
#include <catch2/catch.hpp>

#include "tests/unit/core/audit/records.h"

namespace sentinel {
namespace {

using nlohmann::json;

const json kWith{{"max_tries", 3}, {"user", "deploy"}};

json values() {
  return {{"passwordauthentication", "no"},
          {"kbdinteractiveauthentication", "no"},
          {"pubkeyauthentication", "yes"},
          {"permitemptypasswords", "no"},
          {"hostbasedauthentication", "no"},
          {"permitrootlogin", "no"},
          {"maxauthtries", "3"},
          {"port", "22"},
          {"usepam", "yes"}};
}

json setting(const std::string& keyword, const std::string& value, const std::string& file, int line,
             const std::string& match = "") {
  return {{"keyword", keyword}, {"value", value}, {"file", file}, {"line", line}, {"match", match}};
}

json effective() {
  return {{"installed", true},
          {"problem", ""},
          {"stale", ""},
          {"unit", "ssh.service"},
          {"by_socket", false},
          {"contexts", {{{"match", ""}, {"connection", ""}, {"values", values()}, {"problem", ""}}}},
          {"settings", {setting("passwordauthentication", "no", "/etc/ssh/sshd_config.d/00-sentinel.conf", 4)}}};
}

json live(const std::vector<std::string>& methods) {
  return {{"methods", methods}, {"port", "22"}, {"user", "deploy"}};
}

Finding keys_only(const json& sshd, const std::vector<std::string>& methods = {"publickey"}) {
  return judged("ssh-keys-only", kWith, record_of({{"sshd.effective", sshd}, {"sshd.live", live(methods)}}));
}

[[maybe_unused]] const bool kPasses =
    passes("ssh-keys-only", kWith, {{"sshd.effective", effective()}, {"sshd.live", live({"publickey"})}}) &
    passes("ssh-no-root", json::object(), {{"sshd.effective", effective()}});

}  // namespace

TEST_CASE("keys only: the compliant host passes, on disk and in the daemon") {
  const auto finding = keys_only(effective());
  CHECK(finding.verdict == Verdict::kPass);
  CHECK(finding.persistence == Persistence::kBoth);
}

TEST_CASE("trap ssh-socket-port: the files name a port that systemd's socket does not open") {
  auto finding = keys_only(with_value(effective(), "/contexts/0/values/port", "2222"));
  CHECK(finding.verdict == Verdict::kWarn);
  CHECK_FALSE(has_trap(finding, "ssh-socket-port"));
  finding = keys_only(with_value(with_value(effective(), "/contexts/0/values/port", "2222"), "/by_socket", true));
  CHECK(finding.verdict == Verdict::kWarn);
  CHECK(has_trap(finding, "ssh-socket-port"));
  CHECK(keys_only(with_value(effective(), "/contexts/0/values/port", "2222 22")).verdict == Verdict::kPass);
}

TEST_CASE("keys only: each wrong value fails and names the line that wins") {
  for (const auto& [keyword, value] :
       std::vector<std::pair<std::string, std::string>>{{"passwordauthentication", "yes"},
                                                        {"kbdinteractiveauthentication", "yes"},
                                                        {"pubkeyauthentication", "no"},
                                                        {"permitemptypasswords", "yes"},
                                                        {"hostbasedauthentication", "yes"},
                                                        {"maxauthtries", "6"}}) {
    auto sshd = with_value(effective(), "/contexts/0/values/" + keyword, value);
    sshd["settings"].push_back(setting(keyword, value, "/etc/ssh/other.conf", 7));
    if (keyword == "passwordauthentication") sshd["settings"].erase(0);
    const auto finding = keys_only(sshd);
    INFO(keyword);
    CHECK(finding.verdict == Verdict::kFail);
    CHECK(finding.actual.find(keyword + " " + value) != std::string::npos);
    CHECK(std::any_of(finding.evidence.begin(), finding.evidence.end(),
                      [](const Evidence& item) { return item.origin == "/etc/ssh/other.conf:7"; }));
  }
}

TEST_CASE("trap cloud-init-password: the cloud image's file wins over the main file") {
  auto sshd = with_value(effective(), "/contexts/0/values/passwordauthentication", "yes");
  sshd["settings"] = {setting("passwordauthentication", "yes", "/etc/ssh/sshd_config.d/50-cloud-init.conf", 1),
                      setting("passwordauthentication", "no", "/etc/ssh/sshd_config", 57)};
  const auto finding = keys_only(sshd, {"publickey", "password"});
  CHECK(finding.verdict == Verdict::kFail);
  CHECK(finding.persistence == Persistence::kBoth);
  CHECK(has_trap(finding, "cloud-init-password"));
}

TEST_CASE("trap match-block: a plain sshd -T says no, one class of clients gets yes") {
  auto sshd = effective();
  auto inside = values();
  inside["passwordauthentication"] = "yes";
  sshd["contexts"].push_back(
      {{"match", "Address 10.0.0.0/8"}, {"connection", "addr=10.0.0.0"}, {"values", inside}, {"problem", ""}});
  sshd["settings"].push_back(
      setting("passwordauthentication", "yes", "/etc/ssh/sshd_config", 90, "Address 10.0.0.0/8"));
  const auto finding = keys_only(sshd);
  CHECK(finding.verdict == Verdict::kFail);
  CHECK(has_trap(finding, "match-block"));
  CHECK(finding.traps.front().cause.find("/etc/ssh/sshd_config:90") != std::string::npos);
}

TEST_CASE("trap sshd-not-reloaded: the files say no, the daemon still offers passwords") {
  const auto finding = keys_only(with_value(effective(), "/stale", "/etc/ssh/sshd_config"), {"publickey", "password"});
  CHECK(finding.verdict == Verdict::kFail);
  CHECK(finding.persistence == Persistence::kRuntimeOnly);
  CHECK(has_trap(finding, "sshd-not-reloaded"));
  // One that has read its files was told otherwise by its options, and will be again.
  const auto told = keys_only(effective(), {"publickey", "password"});
  CHECK(told.persistence == Persistence::kBoth);
  CHECK(!has_trap(told, "sshd-not-reloaded"));
}

TEST_CASE("a change on disk that the daemon has not read fails after a reboot") {
  auto sshd = with_value(effective(), "/contexts/0/values/passwordauthentication", "yes");
  sshd["stale"] = "/etc/ssh/sshd_config";
  const auto finding = keys_only(sshd);
  CHECK(finding.verdict == Verdict::kFail);
  CHECK(finding.persistence == Persistence::kBootOnly);
}

TEST_CASE("trap kbdinteractive-pam: PAM asks for the password by another name") {
  const auto finding = keys_only(with_value(effective(), "/contexts/0/values/kbdinteractiveauthentication", "yes"),
                                 {"publickey", "keyboard-interactive"});
  CHECK(finding.verdict == Verdict::kFail);
  CHECK(has_trap(finding, "kbdinteractive-pam"));
}

TEST_CASE("a block nobody can be made up for is unknown when it matters, and passed over when it doesn't") {
  auto sshd = effective();
  sshd["contexts"].push_back({{"match", "Group nobodies"},
                              {"connection", ""},
                              {"values", json::object()},
                              {"problem", "no user is in the group"}});
  CHECK(keys_only(sshd).verdict == Verdict::kPass);
  sshd["settings"].push_back(setting("passwordauthentication", "yes", "/etc/ssh/sshd_config", 90, "Group nobodies"));
  CHECK(keys_only(sshd).verdict == Verdict::kUnknown);
}

TEST_CASE("a configuration that sshd refuses fails after a reboot") {
  const auto finding = keys_only(with_value(effective(), "/problem", "line 3: Bad configuration option: Foo"));
  CHECK(finding.verdict == Verdict::kFail);
  CHECK(finding.persistence == Persistence::kBootOnly);
}

TEST_CASE("root's login: no passes, a key warns, yes fails") {
  const auto root = [](const std::string& value) {
    return judged("ssh-no-root", json::object(),
                  record_of({{"sshd.effective", with_value(effective(), "/contexts/0/values/permitrootlogin", value)}}))
        .verdict;
  };
  CHECK(root("no") == Verdict::kPass);
  CHECK(root("without-password") == Verdict::kWarn);
  CHECK(root("prohibit-password") == Verdict::kWarn);
  CHECK(root("yes") == Verdict::kFail);
  CHECK(root("") == Verdict::kUnknown);
}

}  // namespace sentinel
