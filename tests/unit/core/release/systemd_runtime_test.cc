// SPDX-License-Identifier: Apache-2.0
// The systemd runtime over a service manager that answers from a script.
#include "core/release/systemd_runtime.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_system.h"
#include "tests/unit/core/engine/support.h"

using namespace sentinel;

TEST_CASE("a release that hangs and ends by its stop needs no kill; one that does not end is said to be left") {
  const bool ends = GENERATE(true, false);
  FakeSystem machine;
  ManualClock clock;
  SystemdRuntime runtime(machine, clock, [](const std::string&, const std::string&, const std::string& path) {
    if (path == "/admin/hold") return Result<std::string>(Error("http.timeout", "no answer"));
    return Result<std::string>(R"({"state":"accepting"})");
  });
  Release former;
  former.app = "shop";
  former.id = "1";
  Release next = former;
  next.id = "2";
  machine.put_file("/etc/systemd/system/shop-2.service", "");
  machine.on({"systemctl"}, CommandResult{});
  machine.on({"systemctl", "kill"}, CommandResult{1, "", "Failed to kill unit shop-2.service: Unit shop-2.service not loaded."});
  machine.on({"systemctl", "show"}, [ends](FakeSystem&, const CommandLine& command) {
    const bool over = ends && command.argv.back() == "shop-2.service";
    return CommandResult{0, over ? "ActiveState=inactive\nJob=\n" : "ActiveState=active\nJob=\n", ""};
  });
  const auto back = runtime.back(next, former);
  CHECK(back.ok() == ends);
  if (!ends) CHECK(back.error().message.find("not loaded") != std::string::npos);
}
