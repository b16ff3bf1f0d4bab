// SPDX-License-Identifier: Apache-2.0
// Merging of request, configuration and defaults into a target.
#include "core/transport/target.h"

#include <catch2/catch.hpp>

#include "sshd.h"

using namespace sentinel;
using namespace sentinel::test;

namespace {

const char* const kKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIsJ+ywOcZ6SgQuCLdkn0zJOxW6CBi6HLZ1oQXz4rVBx";

class Home {
 public:
  explicit Home(const std::string& config) {
    environment.home = directory.path();
    environment.user = "me";
    environment.agent_socket = "/run/agent";
    environment.user_config = directory.write(".ssh/config", config);
    environment.system_known_hosts = {"/etc/ssh/ssh_known_hosts"};
  }

  SshTarget target(const SshRequest& request) const {
    auto resolved = resolve_target(request, environment);
    if (!resolved.ok()) FAIL(resolved.error().message);
    return *resolved;
  }

  SshTarget target(const std::string& address) const { return target(at(address)); }

  static SshRequest at(const std::string& address) {
    SshRequest request;
    request.address = address;
    return request;
  }

  TemporaryDirectory directory;
  SshEnvironment environment;
};

}  // namespace

TEST_CASE("without any configuration the defaults are OpenSSH's") {
  const Home home("");
  const SshTarget target = home.target("web.example.com");
  CHECK(target.address == "web.example.com");
  CHECK(target.port == 22);
  CHECK(target.user == "me");
  CHECK(target.agent_socket == "/run/agent");
  CHECK(!target.identities_only);
  CHECK(target.identities == std::vector<std::string>{home.directory.path(".ssh/id_ed25519"),
                                                      home.directory.path(".ssh/id_ecdsa"),
                                                      home.directory.path(".ssh/id_rsa")});
  CHECK(target.known_hosts_files.front() == home.directory.path(".ssh/known_hosts"));
  CHECK(target.known_hosts_files.back() == "/etc/ssh/ssh_known_hosts");
  CHECK(target.jump == nullptr);
}

TEST_CASE("the project wins over the configuration file") {
  const Home home("Host web\n HostName 192.0.2.1\n User a\n Port 1\n IdentityFile ~/x\n");
  SshRequest request = Home::at("web");
  request.user = "root";
  request.port = 2222;
  request.identity = "~/keys/prod";
  request.host_key = std::string(kKey) + " comment";
  const SshTarget target = home.target(request);
  CHECK(target.address == "192.0.2.1");
  CHECK(target.user == "root");
  CHECK(target.port == 2222);
  CHECK(target.identities == std::vector<std::string>{home.directory.path("keys/prod")});
  CHECK(target.identities_only);
  CHECK(target.host_key_pin == kKey);
}

TEST_CASE("a default user stands behind the configuration file") {
  const Home home("Host web\n User a\n");
  for (const auto& [address, user] : {std::pair{"web", "a"}, std::pair{"other", "root"}}) {
    SshRequest request = Home::at(address);
    request.default_user = "root";
    CHECK(home.target(request).user == user);
  }
}

TEST_CASE("tokens in the configuration file are expanded") {
  const Home home(
      "Host web\n HostName %h.example.com\n User a\n Port 7\n IdentityFile %d/keys/%r@%h:%p-%n-%u-100%%\n"
      " UserKnownHostsFile ~/kh/%k none\n GlobalKnownHostsFile /dev/null\n IdentityAgent ~/agent\n");
  const SshTarget target = home.target("web");
  CHECK(target.address == "web.example.com");
  CHECK(target.identities == std::vector<std::string>{home.directory.path("keys/a@web.example.com:7-web-me-100%")});
  CHECK(target.known_hosts_files == std::vector<std::string>{home.directory.path("kh/web")});
  CHECK(target.agent_socket == home.directory.path("agent"));
}

TEST_CASE("IdentityAgent none means no agent") {
  CHECK(Home("IdentityAgent none\n").target("web").agent_socket.empty());
  CHECK(Home("IdentityAgent SSH_AUTH_SOCK\n").target("web").agent_socket == "/run/agent");
}

TEST_CASE("ProxyJump becomes a chain of targets, each with its own block") {
  const Home home(
      "Host outer\n HostName 192.0.2.9\n User o\nHost inner\n User i\n Port 2\nHost web\n ProxyJump outer,x@inner:3\n");
  const SshTarget target = home.target("web");
  REQUIRE(target.jump);
  CHECK(display(*target.jump) == "x@inner port 3");
  REQUIRE(target.jump->jump);
  CHECK(display(*target.jump->jump) == "o@192.0.2.9");
  CHECK(target.jump->jump->jump == nullptr);
}

TEST_CASE("a jump host of the project replaces what the configuration file says") {
  const Home home("Host *\n ProxyCommand touch /nowhere\n");
  SshRequest request = Home::at("web");
  request.jump = std::make_shared<SshTarget>();
  CHECK(home.target(request).jump == request.jump);
}

TEST_CASE("what can't be followed is an error, not a guess") {
  struct Wrong {
    const char* config;
    const char* address;
    const char* code;
  };

  for (const Wrong& one :
       {Wrong{"Host web\n ProxyCommand nc %h %p\n", "web", "ssh.config-proxy-command"},
        Wrong{"Host *\n ProxyJump bastion\n", "web", "ssh.config"}, Wrong{"ProxyJump a:b\n", "web", "ssh.destination"},
        Wrong{"", "-oProxyCommand=x", "ssh.destination"}, Wrong{"", "", "ssh.destination"},
        Wrong{"", "two words", "ssh.destination"}, Wrong{"HostName -x\n", "web", "ssh.destination"}}) {
    INFO(one.config << " / " << one.address);
    const Home home(one.config);
    const auto resolved = resolve_target(Home::at(one.address), home.environment);
    REQUIRE(!resolved.ok());
    CHECK(resolved.error().code == one.code);
    CHECK(resolved.error().exit == ExitCode::kUsage);
  }
  SshRequest request = Home::at("web");
  request.host_key = "ssh-ed25519 AAAA!";
  CHECK(resolve_target(request, Home("").environment).error().code == "ssh.host-key-pin");
}

TEST_CASE("destinations are split where a person would") {
  struct Good {
    const char* text;
    const char* user;
    const char* address;
    int port;
  };

  for (const Good& one :
       {Good{"web", "-", "web", 0}, Good{"root@web", "root", "web", 0}, Good{"root@web:2222", "root", "web", 2222},
        Good{"192.0.2.1:22", "-", "192.0.2.1", 22}, Good{"::1", "-", "::1", 0}, Good{"[::1]", "-", "::1", 0},
        Good{"u@[2001:db8::1]:2222", "u", "2001:db8::1", 2222}, Good{"u@2001:db8::1", "u", "2001:db8::1", 0},
        Good{"ssh://u@web:1/", "u", "web", 1}, Good{"a@b@web", "a@b", "web", 0}}) {
    INFO(one.text);
    const auto parsed = parse_destination(one.text);
    REQUIRE(parsed.ok());
    CHECK(parsed->user.value_or("-") == one.user);
    CHECK(parsed->address == one.address);
    CHECK(parsed->port.value_or(0) == one.port);
  }
  for (const char* text : {"", "@web", "root@", "web:0", "web:x", "web:65536", "-x", "a b", "[::1]:", "web/x"}) {
    INFO(text);
    CHECK(!parse_destination(text).ok());
  }
}
