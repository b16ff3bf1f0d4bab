// SPDX-License-Identifier: Apache-2.0
// `systemctl show` as Debian 11, 12 and 13 print it.
#include "core/resources/units.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_system.h"

namespace sentinel {
namespace {

// Order of properties as systemd prints them, whatever was asked.
constexpr const char* kShown =
    "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n"
    "StateChangeTimestamp=Sat 2026-11-21 01:57:23.107938 UTC\nNeedDaemonReload=no\n"
    "\n"
    "LoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nStateChangeTimestamp=\nNeedDaemonReload="
    "no\n"
    "\n"
    "LoadState=masked\nActiveState=inactive\nSubState=dead\nUnitFileState=masked\nStateChangeTimestamp=\n"
    "NeedDaemonReload=yes\n";

TEST_CASE("units come back in the order they were asked about") {
  const auto units = parse_units({"ssh.service", "nosuch.service", "caddy.service"}, kShown);
  REQUIRE(units.ok());
  CHECK(units->at("ssh.service").is_active());
  CHECK(units->at("ssh.service").is_found());
  CHECK(units->at("ssh.service").changed_ns == 1795226243107938000);
  CHECK_FALSE(units->at("nosuch.service").is_found());
  CHECK_FALSE(units->at("nosuch.service").is_active());
  CHECK(units->at("nosuch.service").changed_ns == 0);
  CHECK(units->at("caddy.service").is_masked());
  CHECK(units->at("caddy.service").needs_daemon_reload);
}

TEST_CASE("an answer about another number of units is refused") {
  CHECK(parse_units({"ssh.service"}, kShown).error().code == "systemd.malformed");
  CHECK(parse_units({"a.service", "b.service", "c.service", "d.service"}, kShown).error().code == "systemd.malformed");
}

TEST_CASE("a time without a fraction is the end of its second") {
  CHECK(*parse_unit_time("Sat 2026-11-21 01:57:19 UTC") == 1795226239999999000);
  CHECK(*parse_unit_time("") == 0);
  CHECK(*parse_unit_time("n/a") == 0);
  for (const char* bad : {"yesterday", "Sat 2026-11-21 01:57:19 CET", "Sat 2026-11-21 01:57:19.5 UTC", "Sat 2026-11-21",
                          "Sat 2026-11-21 01:57:1x UTC", " UTC"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_unit_time(bad).ok());
  }
}

TEST_CASE("all expected units are asked about by one systemctl") {
  FakeSystem machine;
  machine.on({"systemctl", "show"}, [](FakeSystem&, const CommandLine& command) {
    std::string output;
    for (std::size_t i = 5; i < command.argv.size(); ++i) {
      output +=
          "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n"
          "StateChangeTimestamp=\nNeedDaemonReload=no\n\n";
    }
    return CommandResult{0, output, ""};
  });
  Look look({machine, {}, {}, Secret("key"), {}});
  look.expect_unit("ssh.service");
  look.expect_unit("caddy.service");
  REQUIRE(unit_status(look, "ssh.service").ok());
  REQUIRE(unit_status(look, "caddy.service").ok());
  CHECK(machine.commands().size() == 1);
  REQUIRE(unit_status(look, "redis-server.service").ok());
  CHECK(machine.commands().size() == 2);
}

TEST_CASE("a systemctl that fails is an error with what it said") {
  FakeSystem machine;
  machine.on({"systemctl"}, CommandResult{1, "", "Failed to connect to bus"});
  const auto units = show_units({"ssh.service"}, machine);
  REQUIRE_FALSE(units.ok());
  CHECK(units.error().code == "systemd.unreachable");
  CHECK(units.error().message.find("Failed to connect to bus") != std::string::npos);
}

TEST_CASE("unit names have a suffix and no characters a command line could misread") {
  CHECK(is_unit_name("getty@tty1.service"));
  CHECK(is_unit_name("dev-disk-by\\x2dlabel.mount"));
  for (const char* bad :
       {"", "ssh", ".service", "-a.service", "a b.service", "a;b.service", "../x.service", "x.service\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_unit_name(bad));
  }
}

}  // namespace
}  // namespace sentinel
