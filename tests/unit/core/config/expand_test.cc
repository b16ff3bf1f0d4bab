// SPDX-License-Identifier: Apache-2.0
// From project files to the resources of one host.
#include <catch2/catch.hpp>

#include "tests/unit/core/config/scratch_project.h"

using namespace sentinel;

namespace {

const File& file_at(const Expansion& expansion, std::size_t index) {
  return std::get<File>(expansion.request.resources.at(index).body);
}

std::string content_of(const Expansion& expansion, std::size_t index) {
  return expansion.contents.at(file_at(expansion, index).content.digest);
}

}  // namespace

TEST_CASE("a role becomes resources with ids, titles, origins and effects") {
  ScratchProject scratch;
  scratch.role("  greeting: hello\n",
               "  - file: {path: /etc/motd, content: \"{{ greeting }} {{ host.name }}\\n\", mode: 0600}\n"
               "    notify: [reload ssh, daemon-reload]\n"
               "  - package: [curl, git]\n"
               "  - service: {unit: caddy.service, enabled: true}\n");
  const auto expansion = scratch.expand_first();
  INFO(scratch.codes());
  REQUIRE(expansion);
  const auto& resources = expansion->request.resources;
  REQUIRE(resources.size() == 3);
  CHECK(resources[0].id == "web/file-etc-motd");
  CHECK(resources[0].title == "file /etc/motd");
  CHECK(resources[0].origin == "playbooks/roles/web.yaml:5");
  REQUIRE(resources[0].notify.size() == 2);
  CHECK(to_string(resources[0].notify[0]) == "reload ssh.service");
  CHECK(file_at(*expansion, 0).mode == 0600);
  CHECK(content_of(*expansion, 0) == "hello web-1\n");
  CHECK(std::get<Package>(resources[1].body).names == std::vector<std::string>{"curl", "git"});
  const auto& service = std::get<Service>(resources[2].body);
  CHECK(service.enabled == true);
  CHECK_FALSE(service.active.has_value());
}

TEST_CASE("variables are overridden from playbook to project to host to command line, mappings key by key") {
  ScratchProject scratch;
  scratch.role(
      "  a: {w: role, x: role, y: role, z: role, list: [1, 2]}\n",
      "  - file: {path: /etc/x, content: \"{{ a.w }} {{ a.x }} {{ a.y }} {{ a.z }} {{ a.list | join(',') }}\"}\n");
  scratch.write("sentinel.yaml",
                "version: 1\nproject: demo\nstack: test\n"
                "hosts:\n  web-1: {address: 203.0.113.10, vars: {a: {y: host, z: host}}}\n"
                "vars: {a: {x: project, y: project, z: project, list: [3]}}\n");
  const auto expansion = scratch.expand_first({}, {"a.z=set"});
  INFO(scratch.codes());
  REQUIRE(expansion);
  CHECK(content_of(*expansion, 0) == "role project host set 3");
}

TEST_CASE("variables may refer to other variables in any order, also inside one mapping") {
  ScratchProject scratch;
  scratch.role(
      "  firewall: {allow: [\"{{ ssh.port }}/tcp\", 80/tcp]}\n  ssh: {port: \"{{ ssh.base + 1 }}\", base: \"{{ base "
      "}}\"}\n  base: 2221\n",
      "  - file: {path: /etc/x, content: \"{{ firewall.allow | join(' ') }}\"}\n");
  const auto expansion = scratch.expand_first();
  INFO(scratch.codes());
  REQUIRE(expansion);
  CHECK(content_of(*expansion, 0) == "2222/tcp 80/tcp");
}

TEST_CASE("a loop makes a resource of each item, with ids of their own") {
  ScratchProject scratch;
  scratch.role("  names: [b, a]\n",
               "  - directory: {path: \"/srv/{{ item }}\"}\n    loop: names\n    id: dir\n    when: \"item != 'c'\"\n"
               "  - directory: {path: \"/opt/{{ item }}{{ loop_index }}\"}\n    loop: [x, y]\n");
  const auto expansion = scratch.expand_first();
  INFO(scratch.codes());
  REQUIRE(expansion);
  std::vector<std::string> ids;
  for (const auto& resource : expansion->request.resources) ids.push_back(resource.id);
  CHECK(ids == std::vector<std::string>{"web/dir-0", "web/dir-1", "web/directory-opt-x0", "web/directory-opt-y1"});
}

TEST_CASE("an included role sees its arguments, and its includer does not") {
  ScratchProject scratch;
  scratch.role("  site: outer\n",
               "  - include: {role: part, vars: {site: \"inner of {{ site }}\"}}\n"
               "  - file: {path: /etc/b, content: \"{{ site }}\"}\n");
  scratch.write("playbooks/roles/part.yaml",
                "role: part\nresources:\n  - file: {path: /etc/a, content: \"{{ site }}\"}\n");
  const auto expansion = scratch.expand_first();
  INFO(scratch.codes());
  REQUIRE(expansion);
  CHECK(expansion->request.resources[0].id == "part/file-etc-a");
  CHECK(content_of(*expansion, 0) == "inner of outer");
  CHECK(content_of(*expansion, 1) == "outer");
}

TEST_CASE("secrets stay holes, and only used ones are asked for") {
  ScratchProject scratch;
  scratch.role("  a: 1\n", "  - file: {path: /etc/x, content: \"key={{ secrets.KEY | shell }}\", mode: \"0600\"}\n",
               "secrets: {KEY: {env: SOME_KEY}, OTHER: {generate: hex}}\n");
  const auto expansion = scratch.expand_first();
  INFO(scratch.codes());
  REQUIRE(expansion);
  REQUIRE(expansion->request.secrets.size() == 1);
  CHECK(expansion->request.secrets[0].name == "KEY");
  CHECK(file_at(*expansion, 0).content.holes);
  CHECK(expansion->files.at(0).text == "key=[secret KEY]");
}

TEST_CASE("tags choose items; the tags of a role's use count for all its items") {
  ScratchProject scratch;
  scratch.role("  a: 1\n",
               "  - directory: {path: /srv/a}\n    tags: [one]\n  - directory: {path: /srv/b}\n    tags: [two]\n");
  CHECK(scratch.expand_first({{"two"}})->request.resources.size() == 1);
  CHECK(scratch.expand_first({{"three"}})->request.resources.empty());
  scratch.write("playbooks/stacks/test.yaml", "stack: test\nroles:\n  - {role: web, tags: [all]}\n");
  CHECK(scratch.expand_first({{"all"}})->request.resources.size() == 2);
}

TEST_CASE("all mistakes of a host are shown at once, each with its place") {
  ScratchProject scratch;
  scratch.role("  a: 1\n",
               "  - file: {path: etc/x, content: \"\"}\n"
               "  - file: {path: \"{{ 'etc/y' }}\", content: \"\"}\n"
               "  - directory: {path: /srv, mode: 0999}\n"
               "  - package: [curl]\n    when: \"nothing_known\"\n");
  CHECK_FALSE(scratch.expand_first());
  CHECK(scratch.codes() == "schema.type schema.type");  // shapes come first
  scratch.diagnostics = {};
  scratch.role("  a: 1\n",
               "  - file: {path: \"{{ 'etc/y' }}\", content: \"\"}\n"
               "  - package: [curl]\n    when: \"nothing_known\"\n");
  CHECK_FALSE(scratch.expand_first());
  CHECK(scratch.codes() == "schema.type template.unknown-variable");
  for (const auto& error : scratch.diagnostics.errors) {
    REQUIRE(error.position);
    CHECK(error.position->file == "playbooks/roles/web.yaml");
    CHECK(error.position->line > 0);
    CHECK(error.exit == ExitCode::kUsage);
  }
}
