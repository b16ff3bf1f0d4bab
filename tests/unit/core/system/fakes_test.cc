// SPDX-License-Identifier: Apache-2.0
// What the fakes promise beyond the contract of System: scripted commands, records, and faults exactly where asked.
#include <catch2/catch.hpp>

#include "tests/support/fake_system.h"
#include "tests/support/faulty_system.h"

namespace sentinel {
namespace {

CommandLine words(std::vector<std::string> argv) {
  CommandLine command;
  command.argv = std::move(argv);
  return command;
}

/// Three mutations; true when all went well.
bool write_three(System& machine) {
  const FileAttributes attributes{0, 0, 0644};
  const bool a = machine.replace_file("/tmp/a", "a", attributes).ok();
  const bool b = machine.replace_file("/tmp/b", "b", attributes).ok();
  const bool c = machine.replace_file("/tmp/c", "c", attributes).ok();
  return a && b && c;
}

std::vector<std::string> files_after(Fault fault, std::uint64_t at, bool& died, bool& good) {
  FakeSystem machine;
  FaultySystem faulty(machine, fault, at);
  died = good = false;
  try {
    good = write_three(faulty);
  } catch (const Died& death) {
    died = true;
    CHECK(death.at == at);
    CHECK_THROWS_AS(faulty.status("/tmp"), Died);
  }
  CHECK(faulty.struck() == (at <= 3 && fault != Fault::kNone));
  return *machine.list("/tmp");
}

}  // namespace

TEST_CASE("the longest scripted prefix answers, and may change the fake") {
  FakeSystem machine;
  machine.on({"systemctl"}, {1, "", "no\n"});
  machine.on({"systemctl", "start"}, [](FakeSystem& fake, const CommandLine& command) {
    fake.put_file("/run/" + command.argv.at(2), "up");
    return CommandResult{0, "started\n", ""};
  });
  std::vector<std::string> lines;
  auto start = words({"systemctl", "start", "x.service"});
  start.on_line = [&](const std::string& line) { lines.push_back(line); };
  CHECK(machine.run(start)->status == 0);
  CHECK(lines == std::vector<std::string>{"started"});
  CHECK(machine.bytes("/run/x.service") == "up");
  CHECK(machine.query(words({"systemctl", "stop"}))->errors == "no\n");
  CHECK(machine.query(words({"absent"}))->status == 127);
  CHECK(machine.mutations() == std::vector<std::string>{"run systemctl start x.service"});
  CHECK(machine.commands() == std::vector<std::string>{"systemctl start x.service", "systemctl stop", "absent"});
}

TEST_CASE("every mutation gets a later ctime, and trees compare without times") {
  FakeSystem left;
  FakeSystem right;
  REQUIRE(write_three(left));
  right.pass(std::chrono::seconds(100));
  REQUIRE(write_three(right));
  CHECK(left.status("/tmp/a")->changed_ns < left.status("/tmp/b")->changed_ns);
  CHECK(same_tree(left.tree(), right.tree()));
  REQUIRE(right.set_attributes("/tmp/c", {0, 0, 0600}).ok());
  CHECK_FALSE(same_tree(left.tree(), right.tree()));
}

TEST_CASE("a fault strikes exactly the mutation it was asked to strike") {
  bool died = false;
  bool good = false;
  using Names = std::vector<std::string>;
  CHECK(files_after(Fault::kNone, 2, died, good) == Names{"a", "b", "c"});
  CHECK((good && !died));
  CHECK(files_after(Fault::kFailOnce, 2, died, good) == Names{"a", "c"});
  CHECK((!good && !died));
  CHECK(files_after(Fault::kFailForever, 2, died, good) == Names{"a"});
  CHECK((!good && !died));
  CHECK(files_after(Fault::kFailAfterDoing, 2, died, good) == Names{"a", "b", "c"});
  CHECK((!good && !died));
  CHECK(files_after(Fault::kDieBefore, 2, died, good) == Names{"a"});
  CHECK(died);
  CHECK(files_after(Fault::kDieAfter, 2, died, good) == Names{"a", "b"});
  CHECK(died);
  CHECK(files_after(Fault::kDieAfter, 4, died, good) == Names{"a", "b", "c"});
  CHECK((good && !died));
}

}  // namespace sentinel
