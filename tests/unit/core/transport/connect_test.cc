// SPDX-License-Identifier: Apache-2.0
// What can go wrong before a login: each cause has its code, and none takes longer than allowed.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

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

/// Takes one connection, says `text`, and closes it or (when `silent_after`) keeps it open.
class FakeServer {
 public:
  FakeServer(std::string text, bool keep_open) : port_(free_port()), listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listening_.get(), 5) == 0);
    thread_ = std::thread([this, text = std::move(text), keep_open] {
      connection_ = Descriptor(::accept(listening_.get(), nullptr, nullptr));
      (void)!::send(connection_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (!keep_open) {
        // Not before the client's first bytes are in: closing over unread data would reset what we said.
        char byte = 0;
        (void)!::recv(connection_.get(), &byte, 1, 0);
        ::shutdown(connection_.get(), SHUT_WR);
        while (::recv(connection_.get(), &byte, 1, 0) > 0) {
        }
      }
    });
  }

  ~FakeServer() { thread_.join(); }

  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_;
  Descriptor listening_;
  Descriptor connection_;
  std::thread thread_;
};

struct Attempt {
  Error error;
  milliseconds took{0};
};

/// A login attempt that must fail; the target's key is a real one, so that the host is reached.
Attempt attempt(const std::string& address, std::uint16_t port, milliseconds limit = seconds(10)) {
  static const TemporaryDirectory directory;
  static const std::string key = (make_key(directory.path("id")), directory.path("id"));
  SshTarget target;
  target.address = address;
  target.port = port;
  target.user = "root";
  target.identities = {key};
  target.identities_only = true;
  ConnectOptions options;
  options.timeout = limit;
  const auto start = std::chrono::steady_clock::now();
  auto session = SshSession::connect(target, options);
  REQUIRE(!session.ok());
  CHECK(session.error().exit == ExitCode::kUnreachable);
  return {session.error(), std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start)};
}

}  // namespace

TEST_CASE("nobody listening is a refusal, at once") {
  const Attempt tried = attempt("127.0.0.1", free_port());
  CHECK(tried.error.code == "ssh.refused");
  CHECK(tried.took < seconds(2));
}

TEST_CASE("a name without an address is said to have none") {
  CHECK(attempt("no-such-host.invalid", 22).error.code == "ssh.unknown-host");
}

TEST_CASE("a server that accepts and says nothing costs the limit and no more") {
  const FakeServer server("", true);
  const Attempt tried = attempt("127.0.0.1", server.port(), milliseconds(500));
  CHECK(tried.error.code == "ssh.timeout");
  CHECK(tried.took >= milliseconds(500));
  CHECK(tried.took < seconds(3));
}

TEST_CASE("a server that stops in the middle of the key exchange costs the limit and no more") {
  const FakeServer server("SSH-2.0-Quiet\r\n", true);
  const Attempt tried = attempt("127.0.0.1", server.port(), milliseconds(500));
  CHECK(tried.error.code == "ssh.timeout");
  CHECK(tried.took < seconds(3));
}

TEST_CASE("something that isn't an SSH server is called that") {
  for (const std::string& text : {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string(1000, 'x'),
                                  std::string("\0\1\2\3", 4), std::string("Exceeded MaxStartups\r\n"), std::string()}) {
    INFO(text.substr(0, 30));
    const FakeServer server(text, false);
    CHECK(attempt("127.0.0.1", server.port()).error.code == "ssh.not-ssh");
  }
}

TEST_CASE("a server that closes or talks nonsense in the middle of the key exchange is told apart") {
  for (const std::string& text : {std::string("SSH-2.0-Closing\r\n"), "SSH-2.0-Nonsense\r\n" + std::string(64, '\xff'),
                                  std::string("SSH-1.5-Old\r\n")}) {
    INFO(text.substr(0, 20));
    const FakeServer server(text, false);
    CHECK(attempt("127.0.0.1", server.port(), seconds(3)).error.code == "ssh.handshake");
  }
}

TEST_CASE("the host key is judged before any key of ours is shown") {
  const Sshd sshd;
  SshTarget target = sshd.target();
  target.host_key_pin = make_key(sshd.directory().path("other"));
  auto session = SshSession::connect(target, quick());
  REQUIRE(!session.ok());
  CHECK(session.error().code == "ssh.host-key-changed");
  CHECK(sshd.log().find("publickey") == std::string::npos);
}

TEST_CASE("a host with several keys is recognised by the one on record") {
  const Sshd sshd({"ed25519", "ecdsa", "rsa"});
  SshTarget target = sshd.target();
  target.host_key_pin.clear();
  for (const std::size_t index : {0U, 1U, 2U}) {
    sshd.directory().write("known_hosts", fmt::format("[127.0.0.1]:{} {}\n", sshd.port(), sshd.host_key(index)));
    auto session = SshSession::connect(target, quick());
    REQUIRE(session.ok());
    CHECK((*session)->host_key().reason == HostKeyDecision::Reason::kKnown);
    CHECK((*session)->host_key().place == sshd.known_hosts() + ":1");
  }
  for (const std::size_t index : {0U, 1U, 2U}) {
    target.host_key_pin = sshd.host_key(index);
    CHECK(SshSession::connect(target, quick()).ok());
  }
}

TEST_CASE("an unknown host is refused without a terminal, remembered when accepted, known from then on") {
  const Sshd sshd;
  SshTarget target = sshd.target();
  target.host_key_pin.clear();
  CHECK(SshSession::connect(target, quick()).error().code == "ssh.host-key-unknown");
  ConnectOptions options = quick();
  options.host_keys.accept_new = true;
  {
    auto session = SshSession::connect(target, options);
    REQUIRE(session.ok());
    CHECK((*session)->host_key().reason == HostKeyDecision::Reason::kAcceptedNew);
  }
  auto session = SshSession::connect(target, quick());
  REQUIRE(session.ok());
  CHECK((*session)->host_key().reason == HostKeyDecision::Reason::kKnown);
  CHECK(*read_whole_file(sshd.known_hosts()) == fmt::format("[127.0.0.1]:{} {}\n", sshd.port(), sshd.host_key()));
}

TEST_CASE("the time a person takes to answer doesn't count") {
  const Sshd sshd;
  SshTarget target = sshd.target();
  target.host_key_pin.clear();
  ConnectOptions options = quick();
  options.timeout = seconds(1);
  options.host_keys.ask = [](const UnknownHost&) -> Result<bool> {
    ::poll(nullptr, 0, 1200);
    return true;
  };
  CHECK(SshSession::connect(target, options).ok());
}
