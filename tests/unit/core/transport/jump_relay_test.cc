// SPDX-License-Identifier: Apache-2.0
// Through jump hosts: two and three sshds, one behind the other.
#include <fmt/format.h>
#include <signal.h>

#include <catch2/catch.hpp>

#include "core/base/digest.h"
#include "core/transport/session.h"
#include "sshd.h"

using namespace sentinel;
using namespace sentinel::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

SshTarget through(const Sshd& jump, SshTarget target) {
  target.jump = std::make_shared<const SshTarget>(jump.target());
  return target;
}

Result<CommandOutput> said(SshSession& session, const std::string& command, const std::string& input = {}) {
  SENTINEL_TRY(const auto channel, session.exec(command));
  return collect(*channel, input, seconds(20));
}

}  // namespace

TEST_CASE("a session through a jump host is like any other, megabytes included") {
  const Sshd jump;
  const Sshd sshd;
  const auto session = connected(through(jump, sshd.target()));
  const std::string bytes = random_bytes(3U << 20);
  const auto output = said(*session, "cat; exit 5", bytes);
  REQUIRE(output.ok());
  CHECK(sha256_hex(output->output) == sha256_hex(bytes));
  CHECK(output->exit == ExitState{5, ""});
  CHECK(sshd.log().find("Accepted publickey") != std::string::npos);
  CHECK(jump.log().find("Accepted publickey") != std::string::npos);
}

TEST_CASE("jump hosts can stand behind each other") {
  const Sshd outer;
  const Sshd inner;
  const Sshd sshd;
  SshTarget target = sshd.target();
  target.jump = std::make_shared<const SshTarget>(through(outer, inner.target()));
  const auto session = connected(target);
  CHECK(said(*session, "echo far")->output == "far\n");
}

TEST_CASE("the jump host's key is under the same rules") {
  const Sshd jump;
  const Sshd sshd;
  SshTarget wrong = jump.target();
  wrong.host_key_pin = sshd.host_key();
  SshTarget target = sshd.target();
  target.jump = std::make_shared<const SshTarget>(wrong);
  const auto session = SshSession::connect(target, quick());
  REQUIRE(!session.ok());
  CHECK(session.error().code == "ssh.host-key-changed");
  REQUIRE(session.error().context.size() == 2);
  CHECK(session.error().context[0].find("jump host") != std::string::npos);
  CHECK(sshd.log().find("Connection from") == std::string::npos);
}

TEST_CASE("the host's key is judged behind a jump host too") {
  const Sshd jump;
  const Sshd sshd;
  SshTarget target = through(jump, sshd.target());
  target.host_key_pin = jump.host_key();
  CHECK(SshSession::connect(target, quick()).error().code == "ssh.host-key-changed");
  CHECK(sshd.log().find("publickey") == std::string::npos);
}

TEST_CASE("a refused login names the host that refused") {
  const Sshd jump;
  const Sshd sshd;
  SshTarget unwelcome = jump.target();
  unwelcome.identities = {sshd.identity()};
  SshTarget target = sshd.target();
  target.jump = std::make_shared<const SshTarget>(unwelcome);
  const auto first = SshSession::connect(target, quick());
  REQUIRE(!first.ok());
  CHECK(first.error().code == "ssh.jump-login");
  CHECK(first.error().context[0].find(fmt::format("port {}", jump.port())) != std::string::npos);

  SshTarget unknown = through(jump, sshd.target());
  unknown.identities = {jump.identity()};
  const auto second = SshSession::connect(unknown, quick());
  REQUIRE(!second.ok());
  CHECK(second.error().code == "ssh.auth-refused");
  CHECK(second.error().context.size() == 1);
}

TEST_CASE("a jump host that can't or won't reach the target says so") {
  const Sshd jump;
  const Sshd strict({"ed25519"}, "AllowTcpForwarding no\n");
  const Sshd sshd;
  SshTarget nowhere = through(jump, sshd.target());
  nowhere.port = free_port();
  const auto unreachable = SshSession::connect(nowhere, quick());
  REQUIRE(!unreachable.ok());
  CHECK(unreachable.error().code == "ssh.jump-refused");
  CHECK(unreachable.error().exit == ExitCode::kUnreachable);
  CHECK(SshSession::connect(through(strict, sshd.target()), quick()).error().code == "ssh.jump-refused");
}

TEST_CASE("a jump host that dies takes the session with it, and is named") {
  const Sshd jump;
  const Sshd sshd;
  const auto session = connected(through(jump, sshd.target()));
  auto channel = session->exec("cat");
  REQUIRE(channel.ok());
  REQUIRE((*channel)->write("x").ok());
  REQUIRE((*channel)->read(seconds(10)).ok());
  for (const pid_t process : jump.serving()) REQUIRE(::kill(process, SIGKILL) == 0);
  const auto received = (*channel)->read(seconds(10));
  REQUIRE(!received.ok());
  CHECK(received.error().code == "ssh.connection-lost");
  REQUIRE(!received.error().context.empty());
  CHECK(received.error().context[0].find(fmt::format("port {}", jump.port())) != std::string::npos);
}

TEST_CASE("a jump host that goes silent is noticed by its own keepalives") {
  const Sshd jump;
  const Sshd sshd;
  ConnectOptions options = quick();
  options.keepalive_interval = milliseconds(200);
  options.keepalive_limit = milliseconds(600);
  const auto session = connected(through(jump, sshd.target()), options);
  auto channel = session->exec("cat");
  REQUIRE(channel.ok());
  CHECK((*channel)->read(milliseconds(1200))->kind == Received::Kind::kTimeout);
  for (const pid_t process : jump.serving()) REQUIRE(::kill(process, SIGSTOP) == 0);
  const auto start = std::chrono::steady_clock::now();
  const auto received = (*channel)->read(seconds(30));
  REQUIRE(!received.ok());
  CHECK(received.error().code == "ssh.connection-lost");
  CHECK(std::chrono::steady_clock::now() - start < seconds(10));
}

TEST_CASE("an idle session through a jump host ends without waiting") {
  const Sshd jump;
  const Sshd sshd;
  auto session = connected(through(jump, sshd.target()));
  const auto start = std::chrono::steady_clock::now();
  session.reset();
  CHECK(std::chrono::steady_clock::now() - start < seconds(2));
}
