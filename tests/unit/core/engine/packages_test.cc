// SPDX-License-Identifier: Apache-2.0
// apt and dpkg as the engine drives them: policy-rc.d, lists, locks, and the purge that undoes an installation.
#include "core/engine/packages.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/unit/core/engine/fake_host.h"
#include "tests/unit/core/engine/support.h"

namespace sentinel {
namespace {

struct Apt {
  FakeSystem machine;
  ManualClock clock;
  RecordingSink events;
  int locked_for = 0;  ///< times the lock is found held
  bool interrupted = false;

  Apt() { furnish(machine); }

  Packages packages() {
    return Packages({machine, clock, events,
                     [this](const std::string&) -> std::optional<LockHolder> {
                       if (locked_for <= 0) return std::nullopt;
                       --locked_for;
                       return LockHolder{7, "apt"};
                     },
                     [this] { return interrupted; }, std::chrono::seconds(60)});
  }

  std::size_t count(const std::string& part) const {
    return static_cast<std::size_t>(
        std::count_if(machine.commands().begin(), machine.commands().end(),
                      [&](const auto& command) { return command.find(part) != std::string::npos; }));
  }
};

std::string dpkg_entry(const std::string& name, const std::string& status) {
  return "Package: " + name + "\nStatus: install ok " + status + "\nArchitecture: amd64\nVersion: 1\n\n";
}

}  // namespace

TEST_CASE("an administrator's policy-rc.d comes back after an installation, and ours is gone without one") {
  Apt apt;
  REQUIRE(apt.packages().install({"caddy"}).ok());
  CHECK(apt.machine.tree().count(kPolicyPath) == 0);
  CHECK_FALSE(is_running(apt.machine, "caddy.service"));
  apt.machine.put_file(kPolicyPath, "#!/bin/sh\nexit 104\n", {0, 0, 0750});
  REQUIRE(apt.packages().install({"redis"}).ok());
  CHECK(apt.machine.bytes(kPolicyPath) == "#!/bin/sh\nexit 104\n");
  CHECK(apt.machine.status(kPolicyPath)->mode == 0750);
}

TEST_CASE("a failing installation still takes the policy away, and says what apt said") {
  Apt apt;
  apt.machine.on({"apt-get"},
                 CommandResult{100, "Reading package lists...\n", "E: Unable to locate package nonesuch\n"});
  const auto outcome = apt.packages().install({"nonesuch"});
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error().message.find("Unable to locate package nonesuch") != std::string::npos);
  CHECK(apt.machine.tree().count(kPolicyPath) == 0);
}

TEST_CASE("package lists are refreshed when they are missing, older than the sources, or lack a name") {
  Apt fresh;
  REQUIRE(fresh.packages().install({"caddy"}).ok());
  CHECK(fresh.count(" update") == 0);

  Apt missing;
  missing.machine.erase("/var/lib/apt/lists/deb_Packages");
  REQUIRE(missing.packages().install({"caddy"}).ok());
  CHECK(missing.count(" update") == 1);

  Apt older;
  older.machine.put_file("/etc/apt/sources.list.d/x.list", "deb ...\n");
  REQUIRE(older.packages().install({"caddy"}).ok());
  CHECK(older.count(" update") == 1);

  Apt lacking;
  bool refreshed = false;
  lacking.machine.on({"apt-get"}, [&](FakeSystem&, const CommandLine& command) {
    if (command.argv.back() == "update") refreshed = true;
    return CommandResult{refreshed ? 0 : 100, "", "E: Unable to locate package x\n"};
  });
  REQUIRE(lacking.packages().install({"x"}).ok());
  CHECK(lacking.count(" install x") == 2);
}

TEST_CASE("a package that can't be found comes with what apt said of its sources") {
  Apt apt;
  apt.machine.put_file("/etc/apt/sources.list.d/x.list", "deb ...\n");
  apt.machine.on({"apt-get"}, [&](FakeSystem&, const CommandLine& command) {
    if (command.argv.back() == "update")
      return CommandResult{0, "", "W: Failed to fetch https://repository.example.com/\n"};
    return CommandResult{100, "", "E: Unable to locate package x\n"};
  });
  const auto outcome = apt.packages().install({"x"});
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error().message.find("Unable to locate package x") != std::string::npos);
  CHECK(outcome.error().message.find("Failed to fetch https://repository.example.com/") != std::string::npos);
}

TEST_CASE("the undo of an installation purges what came with it, also half-installed, and nothing else") {
  Apt apt;
  const auto before = apt.packages().snapshot();
  REQUIRE(before.ok());
  CHECK(*before == "base-files:amd64\n");
  apt.machine.put_file("/var/lib/dpkg/status", dpkg_entry("base-files", "installed") +
                                                   dpkg_entry("caddy", "half-configured") +
                                                   dpkg_entry("libfoo", "unpacked"));
  std::vector<std::string> purged;
  apt.machine.on({"dpkg", "--purge"}, [&](FakeSystem& fake, const CommandLine& command) {
    purged.assign(command.argv.begin() + 3, command.argv.end());
    fake.put_file("/var/lib/dpkg/status", dpkg_entry("base-files", "installed"));
    return CommandResult{};
  });
  REQUIRE(apt.packages().purge_added_since(*before).ok());
  CHECK(purged == std::vector<std::string>{"caddy:amd64", "libfoo:amd64"});
  const auto& commands = apt.machine.commands();
  CHECK(std::find(commands.begin(), commands.end(), "dpkg --configure -a") != commands.end());
  purged.clear();
  REQUIRE(apt.packages().purge_added_since(*before).ok());
  CHECK(purged.empty());
}

TEST_CASE("the lock's holder is told once, and waiting can be interrupted") {
  Apt apt;
  apt.locked_for = 10;
  REQUIRE(apt.packages().install({"caddy"}).ok());
  CHECK(apt.events.texts(Event::Type::kWaiting) == std::vector<std::string>{"dpkg's lock is held by apt (pid 7)"});
  Apt stopped;
  stopped.locked_for = 10;
  stopped.interrupted = true;
  CHECK(stopped.packages().install({"caddy"}).error().exit == ExitCode::kInterrupted);
}

TEST_CASE("the policy is a shell script that refuses starts and lets stops through") {
  const auto text = std::string(policy_text());
  const auto path = std::string("/tmp/sentinel-policy-test-") + std::to_string(::getpid());
  REQUIRE(replace_file(path, text, {::getuid(), ::getgid(), 0700}).ok());
  const auto status = [&](const std::string& arguments) {
    return WEXITSTATUS(::system((path + " " + arguments).c_str()));
  };
  CHECK(status("caddy start") == 101);
  CHECK(status("caddy.service restart") == 101);
  CHECK(status("--quiet caddy start 2") == 101);
  CHECK(status("caddy stop") == 0);
  CHECK(status("") == 0);
  ::unlink(path.c_str());
}

}  // namespace sentinel
