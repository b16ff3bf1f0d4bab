// SPDX-License-Identifier: Apache-2.0
// What dpkg recorded of a program, what is there now, and what its service runs.
#include <catch2/catch.hpp>

#include "core/checks/probe.h"
#include "tests/support/fake_system.h"

using namespace sentinel;
using nlohmann::json;

namespace {

constexpr const char* kMd5OfProgram = "a9c449d4fa44e9e5a41c574ae55ce4d9";  // of "program"
const json kOrder{{"programs", {{{"package", "caddy"}, {"path", "/usr/bin/caddy"}, {"unit", "caddy.service"}}}},
                  {"units", {"caddy.service"}}};

/// A host on which dpkg has just installed caddy, and runs it.
struct Host {
  explicit Host(const std::string& info = "caddy") : info_("/var/lib/dpkg/info/" + info) {
    machine.put_file("/usr/bin/caddy", "program", {0, 0, 0755});
    machine.put_file("/var/lib/dpkg/status",
                     "Package: caddy\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.6.2-5\n");
    machine.pass(std::chrono::seconds(1));
    machine.put_file(info_ + ".list", "/usr/bin/caddy\n");
    machine.put_file(info_ + ".md5sums", std::string("0  usr/bin/other\n") + kMd5OfProgram + "  usr/bin/caddy\n");
    runs(812, "/usr/bin/caddy");
    machine.on({"md5sum", "--"}, [this](FakeSystem& system, const CommandLine& command) {
      ++digested;
      const bool same = system.bytes(command.argv.back()) == "program";
      return CommandResult{0, (same ? kMd5OfProgram : std::string(32, '0')) + "  " + command.argv.back() + "\n", ""};
    });
  }

  void runs(int pid, const std::string& exe) {
    machine.on({"systemctl", "show"},
               CommandResult{0,
                             "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n"
                             "NeedDaemonReload=no\nStateChangeTimestamp=\nMainPID=" +
                                 std::to_string(pid) + "\n",
                             ""});
    machine.put_link("/proc/" + std::to_string(pid) + "/exe", exe);
  }

  Observation ask(const json& order = kOrder) {
    Look look({machine, {}, {}, Secret("key"), {}});
    look.expect_unit("caddy.service");
    return sentinel::ask({"program", order}, look, {});
  }

  json seen() {
    auto observation = ask();
    INFO((observation.error ? observation.error->message : ""));
    REQUIRE_FALSE(observation.error);
    return observation.value.at("/usr/bin/caddy");
  }

  FakeSystem machine;
  int digested = 0;

 private:
  std::string info_;
};

}  // namespace

TEST_CASE("program: what nobody touched since dpkg put it there is not read") {
  for (const char* info : {"caddy", "caddy:amd64"}) {
    Host host(info);
    CHECK(host.seen() == json{{"package", "caddy"},
                              {"state", "installed"},
                              {"version", "2.6.2-5"},
                              {"exists", true},
                              {"untouched", true},
                              {"recorded", kMd5OfProgram},
                              {"found", ""},
                              {"pid", 812},
                              {"exe", "/usr/bin/caddy"}});
    CHECK(host.digested == 0);
  }
}

TEST_CASE("program: a file that changed since is read, and compared by whoever judges") {
  Host host;
  host.machine.pass(std::chrono::seconds(1));
  host.machine.put_file("/usr/bin/caddy", "program", {0, 0, 0755});
  CHECK(host.seen().at("untouched") == false);
  CHECK(host.seen().at("found") == kMd5OfProgram);
  host.machine.put_file("/usr/bin/caddy", "another", {0, 0, 0755});
  CHECK(host.seen().at("found") != kMd5OfProgram);
  host.machine.erase("/usr/bin/caddy");
  host.machine.put_link("/usr/bin/caddy", "/opt/caddy");
  CHECK(host.seen().at("exists") == true);
  CHECK(host.seen().at("found") == "");
  host.machine.erase("/usr/bin/caddy");
  CHECK(host.seen().at("exists") == false);
}

TEST_CASE("program: a digest that can't be had is an error") {
  for (const auto& answer : {CommandResult{1, "", "md5sum: /usr/bin/caddy: Input/output error"}, CommandResult{127, "", ""},
                             CommandResult{0, "", ""}, CommandResult{0, "a9c449d4fa44  /usr/bin/caddy\n", ""}}) {
    Host host;
    host.machine.pass(std::chrono::seconds(1));
    host.machine.put_file("/usr/bin/caddy", "another", {0, 0, 0755});
    host.machine.on({"md5sum", "--"}, answer);
    CHECK(host.ask().error);
  }
}

TEST_CASE("program: without dpkg's lists nothing is recorded, and the file is read") {
  Host host("another");
  CHECK(host.seen().at("recorded").is_null());
  CHECK(host.seen().at("untouched") == false);
  CHECK(host.seen().at("found") == kMd5OfProgram);
}

TEST_CASE("program: what runs is told as the kernel tells it; a process nobody can look at is an error") {
  Host host;
  host.runs(812, "/usr/bin/caddy (deleted)");
  CHECK(host.seen().at("exe") == "/usr/bin/caddy (deleted)");
  host.machine.erase("/proc/812/exe");
  CHECK(host.ask().error);
  host.runs(0, "/");
  CHECK(host.seen().at("pid") == 0);
  CHECK(host.seen().at("exe") == "");
}

TEST_CASE("program: an order that makes no sense is an error") {
  for (const auto& [key, value] : {std::pair("package", "../x"), {"path", "usr/bin/caddy"}, {"unit", "caddy"}}) {
    auto order = kOrder;
    order["programs"][0][key] = value;
    const auto observation = Host().ask(order);
    REQUIRE(observation.error);
    CHECK(observation.error->code == "probe.order");
  }
  CHECK(Host().ask(json::object()).error);
}
