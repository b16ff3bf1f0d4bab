// SPDX-License-Identifier: Apache-2.0
// The process runner, with the programs every Debian has.
#include "core/system/process.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>

#include <catch2/catch.hpp>

#include "core/base/descriptor.h"

namespace sentinel {
namespace {

CommandLine shell(const std::string& script) {
  CommandLine command;
  command.argv = {"sh", "-c", script};
  return command;
}

}  // namespace

TEST_CASE("a program's output, errors and status are collected apart") {
  const auto result = run_process(shell("echo out; echo err >&2; exit 3"));
  REQUIRE(result.ok());
  CHECK(result->status == 3);
  CHECK(result->output == "out\n");
  CHECK(result->errors == "err\n");
}

TEST_CASE("a program that isn't there is status 127, one that can't be executed is an error") {
  CommandLine absent;
  absent.argv = {"no-such-program-anywhere"};
  const auto result = run_process(absent);
  REQUIRE(result.ok());
  CHECK(result->status == 127);
  CHECK(result->errors == "no-such-program-anywhere: not found\n");
  CommandLine forbidden;
  forbidden.argv = {"/etc/passwd"};
  const auto refused = run_process(forbidden);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "system.EACCES");
  CHECK(run_process(CommandLine{}).error().code == "process.no-program");
}

TEST_CASE("a signal's death is 128 plus its number") {
  const auto result = run_process(shell("kill -TERM $$"));
  REQUIRE(result.ok());
  CHECK(result->status == 128 + SIGTERM);
}

TEST_CASE("input of any size reaches the program, read or not") {
  auto command = shell("wc -c");
  command.input.assign(3 << 20, 'x');
  const auto counted = run_process(command);
  REQUIRE(counted.ok());
  CHECK(counted->output == "3145728\n");
  command.argv = {"true"};
  CHECK(run_process(command)->status == 0);
  const auto nothing = run_process(shell("cat"));
  CHECK(nothing->output.empty());
}

TEST_CASE("the environment is minimal and predictable") {
  ::setenv("SENTINEL_TEST_LEAK", "1", 1);
  CommandLine command;
  command.argv = {"env"};
  command.environment = {{"EXTRA", "yes"}};
  const auto result = run_process(command);
  ::unsetenv("SENTINEL_TEST_LEAK");
  REQUIRE(result.ok());
  CHECK(result->output == "EXTRA=yes\nHOME=/root\nLC_ALL=C.UTF-8\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
}

TEST_CASE("no descriptor but the standard three is inherited, however it was opened") {
  const Descriptor low(::open("/dev/null", O_RDONLY));
  const Descriptor high(::fcntl(low.get(), F_DUPFD, 300));
  REQUIRE(high.get() >= 300);
  const auto result = run_process(shell("ls /proc/self/fd"));
  REQUIRE(result.ok());
  // 3 is ls's own look at the directory.
  CHECK(result->output == "0\n1\n2\n3\n");
}

TEST_CASE("a program that runs too long is killed with its whole process group") {
  auto command = shell("sleep 987654 & echo $!; wait");
  command.timeout = std::chrono::seconds(1);
  std::string grandchild;
  command.on_line = [&](const std::string& line) { grandchild = line; };
  const auto begin = std::chrono::steady_clock::now();
  const auto result = run_process(command);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == "process.timeout");
  REQUIRE_FALSE(grandchild.empty());
  const auto pid = static_cast<pid_t>(std::stol(grandchild));
  // Gone, or a zombie that nobody has reaped yet: bounded wait on the condition.
  bool gone = false;
  for (int i = 0; i < 500 && !gone; ++i) {
    auto state = run_process(shell("cut -d' ' -f3 /proc/" + std::to_string(pid) + "/stat 2>/dev/null"));
    gone = state->output.empty() || state->output == "Z\n";
  }
  CHECK(gone);
}

TEST_CASE("a daemon that keeps the output open doesn't hold the runner") {
  const auto begin = std::chrono::steady_clock::now();
  const auto result = run_process(shell("sleep 30 & echo $!"));
  REQUIRE(result.ok());
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(15));
  ::kill(static_cast<pid_t>(std::stol(result->output)), SIGKILL);
}

TEST_CASE("lines are told whole, the last one also without a newline") {
  std::vector<std::string> lines;
  auto command = shell("printf 'one\\ntw'; printf 'o\\nthree'");
  command.on_line = [&](const std::string& line) { lines.push_back(line); };
  REQUIRE(run_process(command).ok());
  CHECK(lines == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("endless output is cut off") {
  const auto result = run_process(shell("yes"));
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == "process.too-much-output");
}

TEST_CASE("a child's setup runs before the program and can stop it") {
  auto command = shell("pwd");
  CHECK(run_process(command, [] { return ::chdir("/usr") == 0 ? 0 : errno; })->output == "/usr\n");
  const auto stopped = run_process(command, [] { return EPERM; });
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().code == "system.EPERM");
}

}  // namespace sentinel
