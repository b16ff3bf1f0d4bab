// SPDX-License-Identifier: Apache-2.0
// Who gets in, with which key, after how many attempts: told from what sshd logs.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include <catch2/catch.hpp>

#include "core/base/descriptor.h"
#include "core/base/file.h"
#include "core/transport/session.h"
#include "sshd.h"

using namespace sentinel;
using namespace sentinel::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// ssh-agent with a directory of its own.
class SshAgent {
 public:
  SshAgent() : process_({"ssh-agent", "-D", "-a", socket()}, directory_.path("log")) {
    for (int i = 0; ::access(socket().c_str(), F_OK) != 0; ++i) {
      REQUIRE(i < 1000);
      ::poll(nullptr, 0, 5);
    }
  }

  std::string socket() const { return directory_.path("socket"); }

  void add(const std::string& key_file) const { run({"env", "SSH_AUTH_SOCK=" + socket(), "ssh-add", "-q", key_file}); }

 private:
  TemporaryDirectory directory_;
  Process process_;
};

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

/// Logs in, runs a command, says goodbye; the key that was taken. The command makes sshd log the end: it doesn't always
/// get to it for a session that is closed while sshd is still setting it up.
std::string login_key(const SshTarget& target, const ConnectOptions& options = quick()) {
  const auto session = connected(target, options);
  const auto channel = session->exec("true");
  REQUIRE(channel.ok());
  REQUIRE((*channel)->wait_exit(seconds(10)).ok());
  return session->login_key();
}

/// The error; fails when the session came about.
Error refused(const SshTarget& target, const ConnectOptions& options = quick()) {
  auto session = SshSession::connect(target, options);
  if (session.ok()) {
    FAIL("connected");
    return {};
  }
  return session.error();
}

/// What sshd has logged, once it has written of the connection's end.
std::string log_after_end(const Sshd& sshd, std::size_t connections = 1) {
  std::string log;
  for (int i = 0; i < 1000; ++i) {
    log = sshd.log();
    if (count(log, "Connection closed by") + count(log, "Received disconnect") + count(log, "Disconnecting") >=
        connections)
      break;
    ::poll(nullptr, 0, 5);
  }
  return log;
}

}  // namespace

TEST_CASE("an identity file logs in with one attempt and without asking first") {
  const Sshd sshd;
  login_key(sshd.target());
  const std::string log = log_after_end(sshd);
  CHECK(count(log, "Accepted publickey for " + sshd.target().user) == 1);
  CHECK(count(log, "Failed") == 0);
  CHECK(count(log, "Postponed publickey") == 0);
  CHECK(count(log, "Received disconnect") == 1);
}

TEST_CASE("rsa and ecdsa keys log in too") {
  Sshd sshd;
  for (const std::string type : {"rsa", "ecdsa"}) {
    SshTarget target = sshd.target();
    target.identities = {sshd.directory().path(type)};
    sshd.authorize(make_key(target.identities.front(), type));
    CHECK(login_key(target).find(type == "rsa" ? "ssh-rsa SHA256:" : "ecdsa-sha2-nistp256 SHA256:") == 0);
  }
}

TEST_CASE("a refused key is an error that names user and keys") {
  const Sshd sshd;
  SshTarget target = sshd.target();
  target.identities = {sshd.directory().path("other")};
  make_key(target.identities.front());
  const Error error = refused(target);
  CHECK(error.code == "ssh.auth-refused");
  CHECK(error.exit == ExitCode::kUnreachable);
  CHECK(error.message.find("'" + target.user + "'") != std::string::npos);
  CHECK(error.message.find("SHA256:") != std::string::npos);
  CHECK(error.message.find(target.identities.front()) != std::string::npos);
  CHECK(count(log_after_end(sshd), "Failed publickey") == 1);
}

TEST_CASE("an unknown user is refused like a wrong key") {
  const Sshd sshd;
  SshTarget target = sshd.target();
  target.user = "nobody-of-that-name";
  CHECK(refused(target).code == "ssh.auth-refused");
  CHECK(count(log_after_end(sshd), "Invalid user") >= 1);
}

TEST_CASE("the agent's key logs in, and of several only the ones needed are offered") {
  const Sshd sshd;
  const SshAgent agent;
  agent.add(sshd.identity());
  for (int i = 0; i < 5; ++i) {
    const std::string file = sshd.directory().path(fmt::format("other{}", i));
    make_key(file);
    agent.add(file);
  }
  SshTarget target = sshd.target();
  target.agent_socket = agent.socket();
  target.identities = {};
  target.identities_only = false;
  // The right key is the first the agent lists.
  CHECK(login_key(target).find("(agent: test)") != std::string::npos);
  CHECK(count(log_after_end(sshd), "Failed publickey") == 0);
}

TEST_CASE("an identity whose private key is in the agent is offered first and alone") {
  const Sshd sshd;
  const SshAgent agent;
  for (int i = 0; i < 5; ++i) {
    const std::string file = sshd.directory().path(fmt::format("other{}", i));
    make_key(file);
    agent.add(file);
  }
  agent.add(sshd.identity());
  SshTarget target = sshd.target();
  target.agent_socket = agent.socket();

  SECTION("by its private file") {
    CHECK(login_key(target).find("(agent: test)") != std::string::npos);
  }
  SECTION("by its public file alone") {
    REQUIRE(::rename(sshd.identity().c_str(), sshd.directory().path("gone").c_str()) == 0);
    target.identities = {sshd.identity() + ".pub"};
    login_key(target);
  }
  SECTION("by a private file that isn't there but has a public one beside it") {
    REQUIRE(::rename(sshd.identity().c_str(), sshd.directory().path("gone").c_str()) == 0);
    login_key(target);
  }
  SECTION("also when it is one among several") {
    target.identities_only = false;
    target.identities = {sshd.directory().path("missing"), sshd.identity()};
    login_key(target);
  }
  CHECK(count(log_after_end(sshd), "Failed publickey") == 0);
}

TEST_CASE("a host that has had enough attempts is quoted") {
  const Sshd sshd({"ed25519"}, "MaxAuthTries 2\n");
  SshTarget target = sshd.target();
  target.identities.clear();
  for (int i = 0; i < 4; ++i) {
    target.identities.push_back(sshd.directory().path(fmt::format("other{}", i)));
    make_key(target.identities.back());
  }
  const Error error = refused(target);
  CHECK(error.code == "ssh.auth-refused");
  CHECK(error.message.find("Too many authentication failures") != std::string::npos);
}

TEST_CASE("files come after the agent's keys, and a file that is also in the agent counts once") {
  const Sshd sshd;
  const SshAgent agent;
  const std::string other = sshd.directory().path("other");
  make_key(other);
  agent.add(other);
  SshTarget target = sshd.target();
  target.agent_socket = agent.socket();
  target.identities_only = false;
  target.identities = {other, sshd.identity()};
  CHECK(login_key(target).find(sshd.identity()) != std::string::npos);
  CHECK(count(log_after_end(sshd), "Failed publickey") == 1);
}

TEST_CASE("an encrypted key without a terminal is refused before the host is bothered") {
  const Sshd sshd;
  for (const bool old_format : {false, true}) {
    SshTarget target = sshd.target();
    target.identities = {sshd.directory().path(old_format ? "old" : "new")};
    make_key(target.identities.front(), old_format ? "rsa" : "ed25519", "open sesame");
    if (old_format)
      run({"ssh-keygen", "-q", "-p", "-m", "PEM", "-P", "open sesame", "-N", "open sesame", "-f",
           target.identities.front()});
    const Error error = refused(target);
    CHECK(error.code == "ssh.key-encrypted");
    CHECK(error.hint.find("ssh-add " + target.identities.front()) != std::string::npos);
  }
  CHECK(count(sshd.log(), "Connection from") == 0);
}

TEST_CASE("a passphrase is asked for once the host wants the key, and three times at most") {
  Sshd sshd;
  SshTarget target = sshd.target();
  target.identities = {sshd.directory().path("locked")};
  const std::string public_line = make_key(target.identities.front(), "ed25519", "open sesame");
  std::vector<std::string> answers;
  std::size_t asked = 0;
  ConnectOptions options = quick();
  options.ask_passphrase = [&](const std::string& file) -> Result<Secret> {
    CHECK(file == target.identities.front());
    return Secret(answers.at(asked++));
  };

  SECTION("right at once") {
    sshd.authorize(public_line);
    answers = {"open sesame"};
    login_key(target, options);
    CHECK(asked == 1);
  }
  SECTION("right at the third time") {
    sshd.authorize(public_line);
    answers = {"wrong", "also wrong", "open sesame"};
    login_key(target, options);
    CHECK(asked == 3);
  }
  SECTION("never right") {
    sshd.authorize(public_line);
    answers = {"a", "b", "c", "d"};
    CHECK(refused(target, options).code == "ssh.auth-refused");
    CHECK(asked == 3);
  }
  SECTION("no answer") {
    sshd.authorize(public_line);
    answers = {""};
    CHECK(refused(target, options).code == "ssh.auth-refused");
    CHECK(asked == 1);
  }
  SECTION("not asked for a key the host doesn't take") {
    CHECK(refused(target, options).code == "ssh.auth-refused");
    CHECK(asked == 0);
  }
}

TEST_CASE("with nothing to offer the host is not bothered, and the error says what was looked at") {
  const Sshd sshd;
  SshTarget target = sshd.target();
  target.identities = {"/nowhere/id", sshd.directory().write("text", "not a key\n")};
  target.agent_socket = "/nowhere/agent";
  const Error error = refused(target);
  CHECK(error.code == "ssh.no-key");
  CHECK(error.message.find("/nowhere/id (missing)") != std::string::npos);
  CHECK(error.message.find("text (not an SSH key)") != std::string::npos);
  CHECK(error.message.find("/nowhere/agent can't be reached") != std::string::npos);
  CHECK(count(sshd.log(), "Connection from") == 0);
}

TEST_CASE("a host that wants more than a key says so") {
  const Sshd sshd({"ed25519"}, "PasswordAuthentication yes\nAuthenticationMethods publickey,password\n");
  const Error error = refused(sshd.target());
  CHECK(error.code == "ssh.auth-more");
  CHECK(error.message.find("password") != std::string::npos);
}

TEST_CASE("an agent that doesn't answer is bounded by the connection's limit") {
  const TemporaryDirectory directory;
  const Sshd sshd;
  const Descriptor listening(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, directory.path("agent").c_str());
  REQUIRE(::bind(listening.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listening.get(), 5) == 0);
  SshTarget target = sshd.target();
  target.agent_socket = directory.path("agent");
  ConnectOptions options = quick();
  options.timeout = milliseconds(500);
  const auto start = std::chrono::steady_clock::now();
  CHECK(!SshSession::connect(target, options).ok());
  CHECK(std::chrono::steady_clock::now() - start < seconds(5));
}
