// SPDX-License-Identifier: Apache-2.0
// Sessions and channels against a real sshd.
#include "core/transport/session.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <thread>

#include <catch2/catch.hpp>

#include "core/base/descriptor.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "relay.h"
#include "sshd.h"

using namespace sentinel;
using namespace sentinel::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// Shared by the tests that don't care about its configuration.
const Sshd& host() {
  static const Sshd started;
  return started;
}

std::unique_ptr<Channel> started(SshSession& session, const std::string& command) {
  auto channel = session.exec(command);
  if (!channel.ok()) FAIL(channel.error().code << ": " << channel.error().message);
  return std::move(*channel);
}

CommandOutput said(SshSession& session, const std::string& command, const std::string& input = {}) {
  auto output = collect(*started(session, command), input, seconds(20));
  if (!output.ok()) FAIL(output.error().code << ": " << output.error().message);
  return std::move(*output);
}

milliseconds since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
}

}  // namespace

TEST_CASE("a command's two streams and its exit status arrive apart") {
  const auto session = connected(host().target());
  const auto output = said(*session, "echo out; echo err >&2; exit 3");
  CHECK(output.output == "out\n");
  CHECK(output.error_output == "err\n");
  CHECK(output.exit == ExitState{3, ""});
  CHECK(session->host_key().reason == HostKeyDecision::Reason::kPinned);
  CHECK(session->login_key().find("ssh-ed25519 SHA256:") == 0);
  CHECK(read_whole_file(host().identity() + ".pub")->find(session->login_public_key()) == 0);
  CHECK(session->login_public_key().find("ssh-ed25519 AAAA") == 0);
}

TEST_CASE("a session runs several commands, also at the same time") {
  const auto session = connected(host().target());
  const auto one = started(*session, "cat");
  const auto two = started(*session, "cat");
  REQUIRE(one->write("for one").ok());
  REQUIRE(two->write("for two").ok());
  CHECK(two->read(seconds(10))->bytes == "for two");
  CHECK(one->read(seconds(10))->bytes == "for one");
  CHECK(said(*session, "echo three").output == "three\n");
}

TEST_CASE("a program ended by a signal says which") {
  const auto session = connected(host().target());
  CHECK(said(*session, "kill -TERM $$").exit == ExitState{std::nullopt, "TERM"});
}

TEST_CASE("three megabytes of random bytes come back identical through a program that writes while it reads") {
  const std::string bytes = random_bytes(3U << 20);
  const auto session = connected(host().target());
  const auto output = said(*session, "cat", bytes);
  CHECK(sha256_hex(output.output) == sha256_hex(bytes));
  CHECK(output.exit == ExitState{0, ""});
}

TEST_CASE("answers of several packets never wait for the next sign of life") {
  auto options = quick();
  options.keepalive_interval = options.keepalive_limit = seconds(60);  // no answer to a keepalive comes to the rescue
  const auto session = connected(host().target(), options);
  const auto channel = started(*session, "while read -r line; do head -c 60000 /dev/zero; done");
  for (int question = 0; question < 100; ++question) {
    REQUIRE(channel->write("go on\n").ok());
    for (std::size_t got = 0; got < 60000;) {
      const auto received = channel->read(seconds(20));
      REQUIRE(received->kind == Received::Kind::kOutput);
      got += received->bytes.size();
    }
  }
}

TEST_CASE("both streams can carry megabytes at once") {
  const auto session = connected(host().target());
  const auto output = said(*session, "head -c 3000000 /dev/zero >&2 & head -c 3000000 /dev/zero; wait");
  CHECK(output.output == std::string(3000000, '\0'));
  CHECK(output.error_output == std::string(3000000, '\0'));
}

TEST_CASE("a program that doesn't read all of its input still gets its say") {
  const auto session = connected(host().target());
  const auto output = said(*session, "head -c 3; exit 4", std::string(8U << 20, 'x'));
  CHECK(output.output == "xxx");
  CHECK(output.exit == ExitState{4, ""});
}

TEST_CASE("output that was not read before the end is still there after wait_exit") {
  const auto session = connected(host().target());
  const auto channel = started(*session, "echo hello; exit 2");
  REQUIRE(channel->send_eof().ok());
  CHECK(*channel->wait_exit(seconds(10)) == ExitState{2, ""});
  CHECK(channel->read(seconds(10))->bytes == "hello\n");
  CHECK(channel->read(seconds(10))->kind == Received::Kind::kEnd);
  CHECK(channel->read(seconds(10))->kind == Received::Kind::kEnd);
}

TEST_CASE("waits are bounded, and a wait that ended leaves the channel as it was") {
  const auto session = connected(host().target());
  const auto channel = started(*session, "cat");
  const auto start = std::chrono::steady_clock::now();
  CHECK(channel->read(milliseconds(100))->kind == Received::Kind::kTimeout);
  CHECK(since(start) >= milliseconds(100));
  CHECK(since(start) < seconds(5));
  CHECK(channel->read(milliseconds(0))->kind == Received::Kind::kTimeout);
  CHECK(channel->wait_exit(milliseconds(10)).error().code == "ssh.timeout");
  REQUIRE(channel->write("still here").ok());
  CHECK(channel->read(seconds(10))->bytes == "still here");
}

TEST_CASE("a write to a program that reads nothing ends with its limit") {
  const auto session = connected(host().target());
  const auto channel = started(*session, "sleep 15");
  const auto written = channel->write(std::string(16U << 20, 'x'), milliseconds(300));
  REQUIRE(!written.ok());
  CHECK(written.error().code == "ssh.timeout");
}

TEST_CASE("an interrupt ends a wait at once, and the channel survives it") {
  const Descriptor interrupt(::eventfd(0, EFD_NONBLOCK));
  ConnectOptions options = quick();
  options.interrupt_fd = interrupt.get();
  const auto session = connected(host().target(), options);
  const auto channel = started(*session, "cat");
  std::thread person([&] {
    ::poll(nullptr, 0, 100);
    const std::uint64_t one = 1;
    CHECK(::write(interrupt.get(), &one, sizeof one) == sizeof one);
  });
  const auto start = std::chrono::steady_clock::now();
  const auto received = channel->read(seconds(30));
  person.join();
  REQUIRE(!received.ok());
  CHECK(received.error().code == "ssh.interrupted");
  CHECK(received.error().exit == ExitCode::kInterrupted);
  CHECK(since(start) < seconds(5));
  std::uint64_t taken = 0;
  REQUIRE(::read(interrupt.get(), &taken, sizeof taken) == sizeof taken);
  REQUIRE(channel->write("after").ok());
  CHECK(channel->read(seconds(10))->bytes == "after");
}

TEST_CASE("an interrupt ends connecting too") {
  const Descriptor interrupt(::eventfd(1, EFD_NONBLOCK));
  ConnectOptions options = quick();
  options.interrupt_fd = interrupt.get();
  CHECK(SshSession::connect(host().target(), options).error().code == "ssh.interrupted");
}

TEST_CASE("a host that goes silent is noticed by keepalives") {
  const Sshd sshd;
  ConnectOptions options = quick();
  options.keepalive_interval = milliseconds(200);
  options.keepalive_limit = milliseconds(600);
  const auto session = connected(sshd.target(), options);
  const auto channel = started(*session, "echo $PPID; cat");
  const pid_t serving = std::stoi(channel->read(seconds(10))->bytes);

  // Answered keepalives: the silence of an idle program is no reason to hang up.
  CHECK(channel->read(milliseconds(1500))->kind == Received::Kind::kTimeout);

  REQUIRE(::kill(serving, SIGSTOP) == 0);
  const auto start = std::chrono::steady_clock::now();
  const auto received = channel->read(seconds(30));
  // The limit, less the part of the silence that lay before the stop: at most one interval and the time to the kill.
  CHECK(since(start) >= milliseconds(300));
  CHECK(since(start) < seconds(10));
  REQUIRE(!received.ok());
  CHECK(received.error().code == "ssh.connection-lost");
  CHECK(received.error().message.find("no sign of life") != std::string::npos);
  REQUIRE(::kill(serving, SIGCONT) == 0);
}

TEST_CASE("time spent elsewhere is not silence") {
  ConnectOptions options = quick();
  options.keepalive_interval = milliseconds(50);
  options.keepalive_limit = milliseconds(150);
  const auto session = connected(host().target(), options);
  const auto channel = started(*session, "cat");
  ::poll(nullptr, 0, 400);
  REQUIRE(channel->write("x").ok());
  CHECK(channel->read(seconds(10))->bytes == "x");
}

TEST_CASE("a connection that breaks is told apart from a program's end, and what had arrived is not lost") {
  const Sshd sshd;
  const auto session = connected(sshd.target());
  const auto channel = started(*session, "echo $PPID; cat");
  const pid_t serving = std::stoi(channel->read(seconds(10))->bytes);
  REQUIRE(channel->write("last words").ok());
  CHECK(channel->read(seconds(10))->bytes == "last words");
  REQUIRE(::kill(serving, SIGKILL) == 0);
  const auto received = channel->read(seconds(10));
  REQUIRE(!received.ok());
  CHECK(received.error().code == "ssh.connection-lost");
  CHECK(received.error().exit == ExitCode::kUnreachable);
  CHECK(channel->write("more").error().code == "ssh.connection-lost");
  CHECK(session->exec("true").error().code == "ssh.connection-lost");
}

TEST_CASE("twenty sessions in twenty threads don't mix") {
  std::vector<std::thread> threads;
  std::vector<std::string> answers(20);
  const SshTarget target = host().target();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    threads.emplace_back([&, i] {
      auto session = SshSession::connect(target, quick());
      if (!session.ok()) return;
      auto channel = (*session)->exec(fmt::format("cat; echo {}", i));
      if (!channel.ok()) return;
      auto output = collect(**channel, std::string(100000, static_cast<char>('a' + i)), seconds(20));
      if (output.ok()) answers[i] = output->output;
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    CHECK(answers[i] == std::string(100000, static_cast<char>('a' + i)) + fmt::format("{}\n", i));
  }
}

TEST_CASE("from login to the second answer of a program it is exactly three round trips") {
  // Slow enough that what belongs together is seen together.
  const Relay relay(host().port(), milliseconds(100));
  SshTarget target = host().target();
  target.port = relay.port();
  const auto session = connected(target);
  // Version, offer of algorithms, key exchange, service request, signature.
  CHECK(relay.flights() == 4);

  const int before = relay.flights();
  const auto channel = started(*session, "echo hello; head -c 8");
  CHECK(channel->read(seconds(10))->bytes == "hello\n");
  REQUIRE(channel->write("question").ok());
  CHECK(channel->read(seconds(10))->bytes == "question");
  CHECK(relay.flights() - before == 3);
}
