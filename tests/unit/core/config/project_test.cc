// SPDX-License-Identifier: Apache-2.0
// The project file as values. Its mistakes are in tests/golden/config.
#include <catch2/catch.hpp>

#include "core/config/reference.h"
#include "tests/unit/core/config/scratch_project.h"

using namespace sentinel;

namespace {

std::optional<Project> load(const std::string& text, Diagnostics& diagnostics, std::vector<std::string> settings = {}) {
  return load_project({"/nonexistent", text, std::move(settings)}, diagnostics);
}

const char* const kWhole = R"(version: 1
project: demo
stack: my/stack.yaml
hosts:
  bastion: {address: 203.0.113.9}
  web-1:
    address: "2001:db8::1"
    port: 2222
    user: admin
    identity: ~/.ssh/id_ed25519
    host_key: "ssh-ed25519 AAAA"
    jump: bastion
    tags: [prod, eu]
    vars: {domain: b.example.com}
vars: {domain: a.example.com, app: {name: x, port: 1}}
secrets:
  A: {env: A_KEY}
  B: {file: secrets/b}
  C: {command: [pass, show, c]}
  D: {generate: base64, bytes: 48}
app: {port: 9000, drain: 60s}
hooks: {pre_deploy: [[make, test], [notify, "it is", time]]}
migrations: [{id: m1, run: [up], undo: [down]}, {id: m2, run: [up], irreversible: drops a table}]
waivers: [{control: 004-07, hosts: prod, owner: me, reason: r, until: 2027-01-31}]
)";

}  // namespace

TEST_CASE("everything a project says arrives") {
  Diagnostics diagnostics;
  const auto project = load(kWhole, diagnostics);
  for (const auto& error : diagnostics.errors) CHECK(error.message == "no error");
  REQUIRE(project);
  CHECK(project->name == "demo");
  CHECK(project->stack == "my/stack.yaml");
  CHECK(project->stack_position.line == 3);
  REQUIRE(project->hosts.size() == 2);
  CHECK_FALSE(project->hosts[0].port);
  CHECK_FALSE(project->hosts[0].user);
  const Host& host = project->hosts[1];
  CHECK(host.address == "2001:db8::1");
  CHECK(host.port == 2222);
  CHECK(host.user == "admin");
  CHECK(host.identity == "~/.ssh/id_ed25519");
  CHECK(host.host_key == "ssh-ed25519 AAAA");
  CHECK(host.jump == "bastion");
  CHECK(host.tags == std::vector<std::string>{"prod", "eu"});
  CHECK(host.position.line == 6);
  REQUIRE(project->secrets.size() == 4);
  CHECK(project->secrets[0].variable == "A_KEY");
  CHECK(project->secrets[1].path == "secrets/b");
  CHECK(project->secrets[2].argv == std::vector<std::string>{"pass", "show", "c"});
  CHECK(project->secrets[3].spec() == SecretSpec{"D", true, "base64", 48});
  CHECK_FALSE(project->find_secret("A")->spec().generated);
  CHECK(project->hooks.pre_deploy.at(1) == std::vector<std::string>{"notify", "it is", "time"});
  CHECK(project->migrations.at(1).irreversible == "drops a table");
  CHECK(project->waivers.at(0).waiver.control == "004-07");
  // `app:` wins over the variable of that name, key by key.
  CHECK(to_value(project->vars).dump() == R"({"domain":"a.example.com","app":{"name":"x","port":9000,"drain":"60s"}})");
}

TEST_CASE("settings of the command line become a tree of variables; the last one wins") {
  Diagnostics diagnostics;
  const auto project =
      load(kWhole, diagnostics, {"ssh.port=2222", "ssh.extra=[a]", "domain=c.example.com", "ssh.port=2200"});
  REQUIRE(project);
  CHECK(to_value(project->settings).dump() == R"({"ssh":{"port":2200,"extra":["a"]},"domain":"c.example.com"})");
}

TEST_CASE("the project made for one address is valid, for names and addresses of both families") {
  for (const char* address : {"203.0.113.10", "2001:db8::1", "vps.example.com"}) {
    INFO(address);
    Diagnostics diagnostics;
    const auto project = load(default_project_text("admin", address, 2222), diagnostics);
    for (const auto& error : diagnostics.errors) CHECK(error.message == "no error");
    REQUIRE(project);
    REQUIRE(project->hosts.size() == 1);
    CHECK(project->hosts[0].address == address);
    CHECK(project->hosts[0].port == 2222);
    CHECK(project->hosts[0].user == "admin");
  }
}

TEST_CASE("a project with mistakes can still be read to look for more") {
  Diagnostics diagnostics;
  const auto project = read_project(
      {"/nonexistent", "version: 1\nproject: demo\nhosts: {a: {address: x, port: many}}\nfoo: 1\n", {}}, diagnostics);
  REQUIRE(project);
  CHECK(diagnostics.errors.size() == 2);
  CHECK(project->hosts[0].port == kSshPort);
}

TEST_CASE("thousands of mistakes are bounded in number and time") {
  std::string text = "version: 1\nproject: demo\nhosts: {a: {address: a.example.com}}\n";
  for (int i = 0; i < 9000; ++i) text += "mistake" + std::to_string(i) + ": 1\n";
  Diagnostics diagnostics;
  CHECK_FALSE(load(text, diagnostics));
  CHECK(diagnostics.errors.size() == kMostErrors + 1);
  CHECK(diagnostics.errors.back().code == "config.many-errors");
  CHECK(diagnostics.reported == 9000);
}

TEST_CASE("settings of app and health have defaults that templates see") {
  ScratchProject scratch;
  scratch.role("  a: 1\n",
               "  - file: {path: /etc/x, content: \"{{ app.port }} {{ app.drain }} {{ health.ready.path }} {{ "
               "health.bake.errors }}\"}\n",
               "app: {drain: 10s}\nhealth: {ready: {path: /up}}\n");
  const auto expansion = scratch.expand_first({}, {"app.port=9090"});
  INFO(scratch.codes());
  REQUIRE(expansion);
  CHECK(expansion->contents.begin()->second == "9090 10s /up 1%");
}

TEST_CASE("own playbooks and templates win over shipped ones") {
  ScratchProject scratch;
  scratch.role("  a: 1\n", "  - file: {path: /etc/x, template: x.conf}\n  - file: {path: /etc/y, template: y.conf}\n");
  scratch.write("templates/x.conf", "own");
  const Assets assets({scratch.directory()}, {{"templates/x.conf", "shipped"}, {"templates/y.conf", "shipped"}});
  CHECK((*assets.find("templates/x.conf"))->bytes == "own");
  CHECK((*assets.find("templates/y.conf"))->bytes == "shipped");
  CHECK_FALSE(assets.find("templates/z.conf")->has_value());
  CHECK(assets.list("templates/") == std::vector<std::string>{"x.conf", "y.conf"});
  for (const char* name : {"../x", "/etc/passwd", "a/../../b", ""}) {
    INFO(name);
    CHECK(assets.find(name).error().code == "asset.outside");
  }
}

TEST_CASE("assumed facts are Debian 12's, but for what a host's variable says") {
  ScratchProject scratch;
  scratch.role("  a: 1\n",
               "  - file: {path: /etc/x, content: \"{{ facts.os_id }} {{ facts.os_version }} {{ facts.cpus }} {{ "
               "facts.hostname }}\"}\n");
  scratch.write("sentinel.yaml",
                "version: 1\nproject: demo\nstack: test\nhosts:\n  web-1: {address: 203.0.113.10, vars: {facts: "
                "{os_version: 11, cpus: 8}}}\n");
  const auto expansion = scratch.expand_first();
  INFO(scratch.codes());
  REQUIRE(expansion);
  CHECK(expansion->contents.begin()->second == "debian 11 8 web-1");
  CHECK(default_facts().os_codename == "bookworm");
}
