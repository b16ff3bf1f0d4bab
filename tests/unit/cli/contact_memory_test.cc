// SPDX-License-Identifier: Apache-2.0
// What is remembered of hosts comes back, and a broken file only costs the memory.
#include "cli/contact_memory.h"

#include <stdlib.h>

#include <filesystem>

#include <catch2/catch.hpp>

#include "core/base/file.h"

namespace sentinel {
namespace {

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sentinel-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  std::string path;
};

Contact contact(const std::string& name, const std::string& key) { return {name, "203.0.113.10", key, "deploy", 22, "head"}; }

TEST_CASE("A remembered host is known to the next run") {
  const TemporaryDirectory project;
  ContactMemory first(project.path);
  CHECK_FALSE(first.find("a", "203.0.113.10"));
  REQUIRE(first.remember(contact("a", "ssh-ed25519 AAAA")).ok());
  REQUIRE(first.remember(contact("b", "ssh-ed25519 BBBB")).ok());
  const ContactMemory second(project.path);
  CHECK(second.find("a", "203.0.113.10") == contact("a", "ssh-ed25519 AAAA"));
  CHECK_FALSE(second.find("a", "203.0.113.11"));
}

TEST_CASE("A host with a new key replaces what was known of it") {
  const TemporaryDirectory project;
  ContactMemory memory(project.path);
  REQUIRE(memory.remember(contact("a", "ssh-ed25519 AAAA")).ok());
  REQUIRE(memory.remember(contact("a", "ssh-ed25519 CCCC")).ok());
  CHECK(ContactMemory(project.path).find("a", "203.0.113.10")->host_key == "ssh-ed25519 CCCC");
}

TEST_CASE("Two runs that remember different hosts don't lose each other's") {
  const TemporaryDirectory project;
  ContactMemory one(project.path);
  ContactMemory other(project.path);
  REQUIRE(one.remember(contact("a", "ssh-ed25519 AAAA")).ok());
  REQUIRE(other.remember(contact("b", "ssh-ed25519 BBBB")).ok());
  CHECK(ContactMemory(project.path).find("a", "203.0.113.10"));
  CHECK(ContactMemory(project.path).find("b", "203.0.113.10"));
}

TEST_CASE("A file that isn't ours is as good as none") {
  const TemporaryDirectory project;
  REQUIRE(make_directories(project.path + "/.sentinel").ok());
  for (const char* text : {"", "nonsense", "[]", R"({"hosts": 3})", R"({"hosts": {"k": {"name": 1}}})"}) {
    REQUIRE(replace_file(project.path + "/.sentinel/hosts.json", text, {geteuid(), getegid(), 0600}).ok());
    CHECK_FALSE(ContactMemory(project.path).find("a", "203.0.113.10"));
  }
  ContactMemory memory(project.path);
  CHECK(memory.remember(contact("a", "ssh-ed25519 AAAA")).ok());
}

}  // namespace
}  // namespace sentinel
