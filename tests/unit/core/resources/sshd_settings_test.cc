// SPDX-License-Identifier: Apache-2.0
// Reading sshd's configuration as sshd does. The order and the scope of Match were compared with `sshd -T` of 9.2.
#include "core/resources/sshd_settings.h"

#include <catch2/catch.hpp>

#include "core/resources/sshd_report.h"
#include "tests/support/fake_system.h"

namespace sentinel {
namespace {

std::vector<SshdSetting> settings_of(FakeSystem& machine) {
  const auto settings = read_sshd_settings(machine);
  REQUIRE(settings.ok());
  return settings->settings;
}

}  // namespace

TEST_CASE("keywords in any case, equals signs, quotes and comments") {
  FakeSystem machine;
  machine.put_file(kSshdMainFile,
                   "# c\n\n  PORT 22 # tail\nMaxAuthTries=3\nBanner = \"/etc/a b\"\r\nSubsystem\tsftp /x\nUsePAM");
  CHECK(settings_of(machine) == std::vector<SshdSetting>{{"port", "22", kSshdMainFile, 3, ""},
                                                         {"maxauthtries", "3", kSshdMainFile, 4, ""},
                                                         {"banner", "/etc/a b", kSshdMainFile, 5, ""},
                                                         {"subsystem", "sftp /x", kSshdMainFile, 6, ""},
                                                         {"usepam", "", kSshdMainFile, 7, ""}});
}

TEST_CASE("includes are read in place and sorted, hidden files are not, relative ones are below /etc/ssh") {
  FakeSystem machine;
  machine.put_file(kSshdMainFile, "Port 1\nInclude sshd_config.d/*.conf /etc/ssh/absent\nPort 4\n");
  machine.put_file("/etc/ssh/sshd_config.d/b.conf", "Port 3\n");
  machine.put_file("/etc/ssh/sshd_config.d/a.conf", "Port 2\n");
  machine.put_file("/etc/ssh/sshd_config.d/.hidden.conf", "Port 9\n");
  machine.put_file("/etc/ssh/sshd_config.d/c.conf.dpkg-new", "Port 9\n");
  std::string ports;
  for (const auto& setting : settings_of(machine)) ports += setting.value;
  CHECK(ports == "1234");
  const auto settings = read_sshd_settings(machine);
  CHECK(include_line(*settings, "/etc/ssh/sshd_config.d/00-new.conf") == 2);
  CHECK(include_line(*settings, "/etc/ssh/sshd_config.d/00-new") == 0);
  CHECK(include_line(*settings, "/etc/ssh/other.d/x.conf") == 0);
}

TEST_CASE("a Match block ends at the next one or with its file, and an include inside it is under it") {
  FakeSystem machine;
  machine.put_file(
      kSshdMainFile,
      "Include /etc/ssh/one\nUsePAM yes\nMatch User a\nInclude /etc/ssh/two\nX11Forwarding no\nMatch all\nPort 5\n");
  machine.put_file("/etc/ssh/one", "Match Address 192.0.2.0/24\nPort 1\n");
  machine.put_file("/etc/ssh/two", "Port 2\nMatch Group g\nPort 3\n");
  const auto settings = settings_of(machine);
  REQUIRE(settings.size() == 6);
  CHECK(settings[0].match == "Address 192.0.2.0/24");
  CHECK(settings[1].match.empty());
  CHECK(settings[2].match == "User a");
  CHECK(settings[3].match == "User a and Group g");
  CHECK(settings[4].match == "User a");
  CHECK(settings[5].match == "all");
}

TEST_CASE("a circle of includes is an error, a missing main file is empty") {
  FakeSystem machine;
  CHECK(settings_of(machine).empty());
  machine.put_file(kSshdMainFile, "Include /etc/ssh/sshd_config\n");
  CHECK(read_sshd_settings(machine).error().code == "sshd.include-depth");
}

TEST_CASE("values that mean the same") {
  CHECK(same_value("permitrootlogin", "without-password", "prohibit-password"));
  CHECK(same_value("passwordauthentication", "No", "no"));
  CHECK_FALSE(same_value("passwordauthentication", "no", "yes"));
  CHECK(same_value("allowusers", "a b", "b a"));
  CHECK_FALSE(same_value("allowusers", "a", "a b"));
}

TEST_CASE("several lines of one keyword in the report are one value") {
  const auto values = parse_sshd_report("port 22\nport 2222\nallowusers a\nbanner none\nodd\n");
  CHECK(values.at("port") == "22 2222");
  CHECK(values.at("banner") == "none");
  CHECK(values.count("odd") == 0);
}

}  // namespace sentinel
