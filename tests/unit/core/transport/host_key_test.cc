// SPDX-License-Identifier: Apache-2.0
// The decision about a host's key, against files as OpenSSH writes them (ssh-keygen is the oracle for hashes and
// fingerprints).
#include "core/transport/host_key.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "core/base/file.h"
#include "core/transport/known_hosts.h"
#include "sshd.h"

using namespace sentinel;
using namespace sentinel::test;

namespace {

struct Keys {
  TemporaryDirectory directory;
  std::string right = make_key(directory.path("right"));
  std::string wrong = make_key(directory.path("wrong"));
  std::string ecdsa = make_key(directory.path("ecdsa"), "ecdsa");
};

/// Made once: key generation is slow compared with everything else here.
const Keys& keys() {
  static const Keys made;
  return made;
}

SshTarget target(const std::string& known_hosts, std::uint16_t port = 22) {
  SshTarget made;
  made.name = "web";
  made.address = "Web.example.com";
  made.port = port;
  made.user = "root";
  made.known_hosts_files = {known_hosts};
  return made;
}

HostKey key(const std::string& line) {
  return HostKey::parse(line).value();
}

/// "known file:line", "pinned", "accepted-new" or the error's code.
std::string judged(const SshTarget& target, const std::string& offered, const HostKeyPolicy& policy = {}) {
  const auto decision = judge_host_key(target, key(offered), policy);
  if (!decision.ok()) {
    CHECK(decision.error().exit == ExitCode::kUnreachable);
    return decision.error().code;
  }
  switch (decision->reason) {
    case HostKeyDecision::Reason::kKnown: return "known " + decision->place.substr(decision->place.rfind('/') + 1);
    case HostKeyDecision::Reason::kPinned: return "pinned";
    case HostKeyDecision::Reason::kAcceptedNew: return "accepted-new";
  }
  return {};
}

}  // namespace

TEST_CASE("fingerprints are those of ssh-keygen") {
  for (const std::string name : {"right", "ecdsa"}) {
    const std::string listing = run({"ssh-keygen", "-l", "-f", keys().directory.path(name + ".pub")});
    const std::string line = name == "right" ? keys().right : keys().ecdsa;
    CHECK(listing.find(" " + key(line).fingerprint() + " ") != std::string::npos);
  }
}

TEST_CASE("known_hosts decides as sshd(8) describes the format") {
  const TemporaryDirectory directory;

  struct Case {
    const char* what;
    std::string text;
    std::uint16_t port;
    std::string expected;
  };

  const std::string& right = keys().right;
  const std::string& wrong = keys().wrong;
  const Case cases[] = {
      {"nothing", "", 22, "ssh.host-key-unknown"},
      {"the key", "web.example.com " + right + "\n", 22, "known f:1"},
      {"with a comment", "web.example.com " + right + " me@here\n", 22, "known f:1"},
      {"names are case-blind", "WEB.Example.COM " + right + "\n", 22, "known f:1"},
      {"one of several names", "db,web.example.com,192.0.2.1 " + right + "\n", 22, "known f:1"},
      {"a pattern", "*.example.com " + right + "\n", 22, "known f:1"},
      {"a negated pattern", "!web.example.com,*.example.com " + right + "\n", 22, "ssh.host-key-unknown"},
      {"another host", "db.example.com " + wrong + "\n", 22, "ssh.host-key-unknown"},
      {"another key", "web.example.com " + wrong + "\n", 22, "ssh.host-key-changed"},
      {"a second key of the same type", "web.example.com " + wrong + "\nweb.example.com " + right + "\n", 22,
       "known f:2"},
      {"only a key of another type", "web.example.com " + keys().ecdsa + "\n", 22, "ssh.host-key-changed"},
      {"comments and blank lines count", "# c\n\nweb.example.com " + right + "\n", 22, "known f:3"},
      {"no newline at the end", "web.example.com " + right, 22, "known f:1"},
      {"broken lines are passed over",
       "web.example.com ssh-ed25519\nweb.example.com ssh-ed25519 @@\nweb.example.com " + right + "\n", 22, "known f:3"},
      {"revoked", "@revoked * " + right + "\nweb.example.com " + right + "\n", 22, "ssh.host-key-revoked"},
      {"revoked after known", "web.example.com " + right + "\n@revoked web.example.com " + right + "\n", 22,
       "ssh.host-key-revoked"},
      {"another key is revoked", "@revoked * " + wrong + "\nweb.example.com " + right + "\n", 22, "known f:2"},
      {"a revoked key is not on record", "@revoked * " + wrong + "\n", 22, "ssh.host-key-unknown"},
      {"authorities are passed over", "@cert-authority * " + right + "\n", 22, "ssh.host-key-unknown"},
      {"a port of its own", "[web.example.com]:2222 " + right + "\n", 2222, "known f:1"},
      {"another port", "[web.example.com]:2223 " + wrong + "\n", 2222, "ssh.host-key-unknown"},
      {"the bare name vouches for another port", "web.example.com " + right + "\n", 2222, "known f:1"},
      {"the bare name doesn't contradict another port", "web.example.com " + wrong + "\n", 2222,
       "ssh.host-key-unknown"},
      {"another port says nothing about 22", "[web.example.com]:2222 " + right + "\n", 22, "ssh.host-key-unknown"},
      {"changed on its port although the bare name agrees",
       "[web.example.com]:2222 " + wrong + "\nweb.example.com " + right + "\n", 2222, "ssh.host-key-changed"},
  };
  for (const Case& one : cases) {
    INFO(one.what);
    CHECK(judged(target(directory.write("f", one.text), one.port), right) == one.expected);
  }
}

TEST_CASE("names hashed by ssh-keygen are found, and other hosts' aren't") {
  const TemporaryDirectory directory;
  const std::string file = directory.write("f", "other.example.com " + keys().wrong + "\nweb.example.com " +
                                                    keys().right + "\n[web.example.com]:2222 " + keys().ecdsa + "\n");
  run({"ssh-keygen", "-q", "-H", "-f", file});
  REQUIRE(read_whole_file(file)->find("example") == std::string::npos);
  CHECK(judged(target(file), keys().right) == "known f:2");
  CHECK(judged(target(file), keys().wrong) == "ssh.host-key-changed");
  CHECK(judged(target(file, 2222), keys().ecdsa) == "known f:3");
}

TEST_CASE("a changed key is refused with place, fingerprints and what to do") {
  const TemporaryDirectory directory;
  const std::string file = directory.write("f", "\nweb.example.com " + keys().wrong + "\n");
  HostKeyPolicy lenient;
  lenient.accept_new = true;
  lenient.ask = [](const UnknownHost&) -> Result<bool> { return true; };
  const auto decision = judge_host_key(target(file), key(keys().right), lenient);
  REQUIRE(!decision.ok());
  const Error& error = decision.error();
  CHECK(error.code == "ssh.host-key-changed");
  CHECK(error.message.find(key(keys().right).fingerprint()) != std::string::npos);
  CHECK(error.message.find(key(keys().wrong).fingerprint()) != std::string::npos);
  CHECK(error.message.find(file + ":2") != std::string::npos);
  CHECK(error.hint.find("ssh-keygen -R 'web.example.com' -f " + file) != std::string::npos);
}

TEST_CASE("a pin decides alone, but never for a revoked key") {
  const TemporaryDirectory directory;
  SshTarget pinned = target(directory.write("f", "web.example.com " + keys().wrong + "\n"));
  pinned.host_key_pin = keys().right;
  CHECK(judged(pinned, keys().right) == "pinned");
  CHECK(judged(pinned, keys().wrong) == "ssh.host-key-changed");
  CHECK(judged(pinned, keys().ecdsa) == "ssh.host-key-changed");
  directory.write("f", "@revoked * " + keys().right + "\n");
  CHECK(judged(pinned, keys().right) == "ssh.host-key-revoked");
}

TEST_CASE("an unknown key is asked about, and only an answer of yes is remembered") {
  const TemporaryDirectory directory;
  const std::string file = directory.path("ssh/known_hosts");
  UnknownHost asked;
  bool answer = false;
  HostKeyPolicy policy;
  policy.ask = [&](const UnknownHost& unknown) -> Result<bool> {
    asked = unknown;
    return answer;
  };
  CHECK(judged(target(file, 2222), keys().right, policy) == "ssh.host-key-unknown");
  CHECK(asked.name == "[web.example.com]:2222");
  CHECK(asked.key == key(keys().right));
  CHECK(asked.known_hosts_file == file);
  CHECK(!read_whole_file(file).ok());

  answer = true;
  CHECK(judged(target(file, 2222), keys().right, policy) == "accepted-new");
  CHECK(*read_whole_file(file) == "[web.example.com]:2222 " + keys().right + "\n");

  struct stat status {};

  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  REQUIRE(::stat(directory.path("ssh").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
  policy.ask = nullptr;
  CHECK(judged(target(file, 2222), keys().right, policy) == "known known_hosts:1");
  CHECK(run({"ssh-keygen", "-F", "[web.example.com]:2222", "-f", file}).find("line 1") != std::string::npos);
}

TEST_CASE("--accept-new-host-key asks nobody and appends to a file without a last newline") {
  const TemporaryDirectory directory;
  const std::string file = directory.write("f", "db.example.com " + keys().wrong);
  HostKeyPolicy policy;
  policy.accept_new = true;
  CHECK(judged(target(file), keys().right, policy) == "accepted-new");
  CHECK(*read_whole_file(file) == "db.example.com " + keys().wrong + "\nweb.example.com " + keys().right + "\n");
}

TEST_CASE("a key that can't be remembered is not accepted") {
  const TemporaryDirectory directory;
  SshTarget where = target(directory.write("not-a-directory", "") + "/known_hosts");
  HostKeyPolicy policy;
  policy.accept_new = true;
  CHECK(!judge_host_key(where, key(keys().right), policy).ok());
}

TEST_CASE("an error of the question is the error of the decision") {
  const TemporaryDirectory directory;
  HostKeyPolicy policy;
  policy.ask = [](const UnknownHost&) -> Result<bool> { return Error("terminal.closed", "gone"); };
  CHECK(judge_host_key(target(directory.path("f")), key(keys().right), policy).error().code == "terminal.closed");
}

TEST_CASE("algorithms of known keys are asked for first") {
  const TemporaryDirectory directory;
  SshTarget where = target(directory.write("f", "web.example.com " + keys().ecdsa + "\n"));
  CHECK(preferred_host_key_algorithms(where).rfind("ecdsa-sha2-nistp256,ssh-ed25519,", 0) == 0);
  where.host_key_alias = "elsewhere";
  CHECK(preferred_host_key_algorithms(where).rfind("ssh-ed25519,", 0) == 0);
  where.host_key_pin = keys().ecdsa;
  CHECK(preferred_host_key_algorithms(where).rfind("ecdsa-sha2-nistp256,", 0) == 0);
  directory.write("f", "@revoked * " + keys().ecdsa + "\n");
  where.host_key_pin.clear();
  where.host_key_alias.clear();
  CHECK(preferred_host_key_algorithms(where).rfind("ssh-ed25519,", 0) == 0);
}

TEST_CASE("pins are parsed strictly") {
  CHECK(HostKey::parse(keys().right + " comment").ok());
  for (const char* text :
       {"", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519 A", "AAAA", "ssh-dss AAAA", "web ssh-ed25519 AAAA"}) {
    INFO(text);
    REQUIRE(!HostKey::parse(text).ok());
    CHECK(HostKey::parse(text).error().code == "ssh.host-key-pin");
  }
}
