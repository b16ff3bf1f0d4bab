// SPDX-License-Identifier: Apache-2.0
// What is left of a playbook when only some steps are wanted.
#include "core/config/narrowing.h"

#include <catch2/catch.hpp>

#include "tests/unit/core/config/scratch_project.h"

namespace sentinel {
namespace {

std::vector<std::string> ids_of(const Expansion& expansion) {
  std::vector<std::string> out;
  for (const auto& resource : expansion.request.resources) out.push_back(resource.id);
  return out;
}

Expansion sample(ScratchProject& scratch) {
  scratch.role("  greeting: hello\n",
               "  - directory: {path: /opt/web}\n    id: place\n"
               "  - file: {path: /opt/web/key, content: \"{{ secrets.KEY }}\", mode: \"0600\"}\n    id: key\n"
               "  - file: {path: /opt/web/page, content: \"hello\\n\"}\n    id: page\n",
               "secrets:\n  KEY: {generate: hex}\n  OTHER: {generate: hex}\n");
  scratch.write("playbooks/stacks/test.yaml", "stack: test\nroles: [people, web, door]\n");
  scratch.write("playbooks/roles/people.yaml",
                "role: people\nresources:\n  - user: {name: deploy}\n    id: deploy\n"
                "  - file: {path: /etc/motd, content: \"{{ secrets.OTHER }}\", mode: \"0600\"}\n    id: motd\n");
  scratch.write(
      "playbooks/roles/door.yaml",
      "role: door\nresources:\n  - package: {names: [openssh-server]}\n    id: package\n"
      "  - sshd: {path: /etc/ssh/sshd_config.d/00-x.conf, content: \"PermitRootLogin no\\n\"}\n    id: drop-in\n"
      "  - service: {unit: ssh.service}\n    id: service\n");
  const auto expansion = scratch.expand_first();
  for (const Error& error : scratch.diagnostics.errors) UNSCOPED_INFO(error.message);
  REQUIRE(expansion.has_value());
  return *expansion;
}

}  // namespace

TEST_CASE("A step keeps what its role has before it, and the secrets and contents of those") {
  ScratchProject scratch;
  Expansion expansion = sample(scratch);
  REQUIRE(expansion.request.secrets.size() == 2);
  CHECK(narrow(expansion, {"web/key"}).empty());
  CHECK(ids_of(expansion) == std::vector<std::string>{"web/place", "web/key"});
  REQUIRE(expansion.request.secrets.size() == 1);
  CHECK(expansion.request.secrets[0].name == "KEY");
  CHECK(expansion.contents.size() == 1);
}

TEST_CASE("A step of sshd takes along who has to get in afterwards") {
  ScratchProject scratch;
  Expansion expansion = sample(scratch);
  CHECK(narrow(expansion, {"door/drop-in"}).empty());
  CHECK(ids_of(expansion) == std::vector<std::string>{"people/deploy", "door/package", "door/drop-in"});
  CHECK(expansion.request.secrets.empty());
}

TEST_CASE("Steps come in the playbook's order, and those that don't exist are named") {
  ScratchProject scratch;
  Expansion expansion = sample(scratch);
  CHECK(narrow(expansion, {"door/package", "web/place", "web/gone"}) == std::vector<std::string>{"web/gone"});
  CHECK(ids_of(expansion) == std::vector<std::string>{"web/place", "door/package"});
}

}  // namespace sentinel
