// SPDX-License-Identifier: Apache-2.0
// What a configuration file says about a host, as a table; and what it is never allowed to do.
#include "core/transport/ssh_config.h"

#include <catch2/catch.hpp>

#include "sshd.h"

using namespace sentinel;
using namespace sentinel::test;

namespace {

struct Case {
  const char* what;
  const char* host;
  const char* text;
  /// "hostname user port identityfiles proxyjump", "-" for what isn't set.
  const char* expected;
};

std::string summary(const SshConfig& config) {
  std::string files;
  for (const auto& file : config.identity_files) files += (files.empty() ? "" : ",") + file;
  return config.host_name.value_or("-") + " " + config.user.value_or("-") + " " +
         (config.port ? std::to_string(*config.port) : "-") + " " + (files.empty() ? "-" : files) + " " +
         config.proxy_jump.value_or("-");
}

const Case kCases[] = {
    {"nothing applies", "web", "Host db\n  User x\n", "- - - - -"},
    {"values before any block apply to all", "web", "User x\nPort 1\nHost db\n User y\n", "- x 1 - -"},
    {"a plain block", "web", "Host web\n HostName 192.0.2.1\n User deploy\n Port 2222\n", "192.0.2.1 deploy 2222 - -"},
    {"the first value wins", "web", "Host web\n User a\nHost *\n User b\n Port 7\n", "- a 7 - -"},
    {"a later block doesn't override", "web", "Host *\n User b\nHost web\n User a\n", "- b - - -"},
    {"identity files add up", "web", "Host web\n IdentityFile a\n IdentityFile b\nHost *\n IdentityFile c\n",
     "- - - a,b,c -"},
    {"star", "web-12", "Host web-*\n User a\n", "- a - - -"},
    {"star matches nothing too", "web-", "Host web-*\n User a\n", "- a - - -"},
    {"star in the middle", "web1.example.com", "Host web*.com\n User a\n", "- a - - -"},
    {"two stars", "a.b.example.com", "Host *.b.*.com\n User a\n", "- a - - -"},
    {"question mark is one character", "web1", "Host web?\n User a\n", "- a - - -"},
    {"question mark is not none", "web", "Host web?\n User a\n", "- - - - -"},
    {"several patterns", "db", "Host web db\n User a\n", "- a - - -"},
    {"negation", "web3", "Host web* !web3\n User a\n", "- - - - -"},
    {"negation first", "web3", "Host !web3 web*\n User a\n", "- - - - -"},
    {"negation alone matches nothing", "db", "Host !web\n User a\n", "- - - - -"},
    {"case of hosts is ignored", "WEB", "Host web\n User a\n", "- a - - -"},
    {"case of keywords is ignored", "web", "hOST web\n uSER a\n", "- a - - -"},
    {"equals sign", "web", "Host=web\nUser=a\nPort = 5\n", "- a 5 - -"},
    {"quotes", "web", "Host \"web\"\n IdentityFile \"with space\"\n", "- - - with space -"},
    {"comments and blank lines", "web", "# c\n\nHost web # c\n  # c\n User a # c\n", "- a - - -"},
    {"tabs and carriage returns", "web", "Host\tweb\r\n\tUser\ta\r\n", "- a - - -"},
    {"no newline at the end", "web", "Host web\n User a", "- a - - -"},
    {"unknown keywords are passed over", "web", "Host web\n ForwardAgent yes\n SendEnv LANG LC_*\n Fancy\n User a\n",
     "- a - - -"},
    {"ProxyJump", "web", "Host web\n ProxyJump bastion\n", "- - - - bastion"},
    {"ProxyJump none stays", "web", "Host web\n ProxyJump none\nHost *\n ProxyJump bastion\n", "- - - - none"},
    {"Match all", "web", "Match all\n User a\n", "- a - - -"},
    {"Match host after HostName", "web", "Host web\n HostName x.example.com\nMatch host x.example.com\n User a\n",
     "x.example.com a - - -"},
    {"Match originalhost", "web", "Host web\n HostName x.example.com\nMatch originalhost web\n User a\n",
     "x.example.com a - - -"},
    {"Match by local user", "web", "Match localuser me\n User a\nMatch localuser you\n Port 2\n", "- a - - -"},
    {"Match with several criteria", "web",
     "Match host web localuser me\n User a\nMatch host web localuser you\n Port 2\n", "- a - - -"},
    {"Match negated", "web", "Match !host db\n User a\nMatch !host web\n Port 2\n", "- a - - -"},
    {"Match exec never applies", "web", "Match exec \"touch ran\"\n User a\nMatch host web exec true\n Port 2\n",
     "- - - - -"},
    {"Match user uses the configured user", "web", "Host web\n User a\nMatch user a\n Port 2\n", "- a 2 - -"},
};

}  // namespace

TEST_CASE("ssh_config says about a host what ssh_config(5) says it does") {
  const TemporaryDirectory directory;
  for (const Case& one : kCases) {
    INFO(one.what);
    SshConfig config;
    const auto read =
        read_ssh_config(directory.write("config", one.text), {one.host, "", "me", directory.path()}, config);
    REQUIRE(read.ok());
    CHECK(summary(config) == one.expected);
  }
}

TEST_CASE("lines that make no sense are errors with a position") {
  const TemporaryDirectory directory;

  struct Wrong {
    const char* text;
    int line;
    const char* message;
  };

  for (const Wrong& one :
       {Wrong{"Host web\n Port many\n", 2, "'many' is not a port"}, Wrong{"Port 0\n", 1, "'0' is not a port"},
        Wrong{"Port 65536\n", 1, "'65536' is not a port"}, Wrong{"\nUser\n", 2, "User needs a value"},
        Wrong{"IdentityFile \"open\n", 1, "a quote is not closed"},
        Wrong{"IdentitiesOnly maybe\n", 1, "'maybe' is neither yes nor no"},
        Wrong{"Match host\n", 1, "Match host needs a pattern"},
        Wrong{"Include config\n", 1, "files include each other without end"}}) {
    INFO(one.text);
    SshConfig config;
    const auto read =
        read_ssh_config(directory.write(".ssh/config", one.text), {"web", "", "me", directory.path()}, config);
    REQUIRE(!read.ok());
    CHECK(read.error().code == "ssh.config");
    CHECK(read.error().message == one.message);
    REQUIRE(read.error().position);
    CHECK(read.error().position->line == one.line);
    CHECK(read.error().exit == ExitCode::kUsage);
  }
}

TEST_CASE("a broken value in a block that doesn't apply is no concern of this host") {
  const TemporaryDirectory directory;
  SshConfig config;
  CHECK(read_ssh_config(directory.write("config", "Host db\n Port many\n"), {"web", "", "me", directory.path()}, config)
            .ok());
}

TEST_CASE("included files count where they are included, and their blocks end with them") {
  const TemporaryDirectory directory;
  directory.write(".ssh/config.d/a", "Host web\n User from-a\n");
  directory.write(".ssh/config.d/b", "Port 99\n");
  const auto file = directory.write(".ssh/config", "Include config.d/*\nHost web\n User late\n HostName 192.0.2.1\n");
  SshConfig config;
  REQUIRE(read_ssh_config(file, {"web", "", "me", directory.path()}, config).ok());
  CHECK(summary(config) == "192.0.2.1 from-a 99 - -");
}

TEST_CASE("a missing file says nothing, an unreadable one is an error") {
  const TemporaryDirectory directory;
  SshConfig config;
  CHECK(read_ssh_config(directory.path("nowhere"), {"web", "", "me", directory.path()}, config).ok());
  CHECK(!read_ssh_config(directory.path(), {"web", "", "me", directory.path()}, config).ok());
}
