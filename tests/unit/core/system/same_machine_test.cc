// SPDX-License-Identifier: Apache-2.0
// One contract, two machines: every case runs against LocalSystem in a temporary directory and against FakeSystem, so
// the fake that the engine's tests stand on can't drift from the real thing.
#include <unistd.h>

#include <functional>

#include <catch2/catch.hpp>

#include "core/system/local_system.h"
#include "tests/support/fake_system.h"
#include "tests/support/scratch_directory.h"

namespace sentinel {
namespace {

FileAttributes mine(mode_t mode) {
  return {::geteuid(), ::getegid(), mode};
}

/// Runs `body` on both, each with an empty directory of its own.
void on_both(const std::function<void(System&, const std::string& directory)>& body) {
  SECTION("the real machine") {
    const ScratchDirectory scratch;
    LocalSystem machine;
    body(machine, scratch.path());
  }
  SECTION("the fake") {
    FakeSystem machine;
    machine.put_directory("/tmp/work");
    body(machine, "/tmp/work");
  }
}

FileType type_at(System& machine, const std::string& path) {
  return machine.status(path)->type;
}

}  // namespace

TEST_CASE("a replaced file has the bytes and attributes asked for") {
  on_both([](System& machine, const std::string& directory) {
    const auto path = directory + "/file";
    REQUIRE(machine.replace_file(path, "one", mine(0640)).ok());
    const auto first = *machine.status(path);
    CHECK(first.type == FileType::kRegular);
    CHECK(first.mode == 0640);
    CHECK(first.size == 3);
    CHECK(first.uid == ::geteuid());
    REQUIRE(machine.replace_file(path, "two!", mine(0600)).ok());
    CHECK(*machine.read_file(path) == "two!");
    CHECK(machine.status(path)->mode == 0600);
    CHECK(machine.status(path)->changed_ns >= first.changed_ns);
    CHECK(*machine.list(directory) == std::vector<std::string>{"file"});
  });
}

TEST_CASE("what isn't there: status absent, read an error, list empty, removing fine") {
  on_both([](System& machine, const std::string& directory) {
    const auto path = directory + "/none/deeper";
    CHECK(type_at(machine, path) == FileType::kAbsent);
    CHECK(machine.read_file(path).error().code == "system.ENOENT");
    CHECK(machine.read_link(path).error().code == "system.ENOENT");
    CHECK(machine.list(path)->empty());
    CHECK(machine.remove_file(path).ok());
    CHECK(machine.remove_directory(path).ok());
    CHECK(machine.replace_file(path, "x", mine(0600)).error().code == "system.ENOENT");
    CHECK(machine.set_attributes(path, mine(0600)).error().code == "system.ENOENT");
  });
}

TEST_CASE("a path below a file is absent too") {
  on_both([](System& machine, const std::string& directory) {
    REQUIRE(machine.replace_file(directory + "/file", "x", mine(0600)).ok());
    CHECK(type_at(machine, directory + "/file/below") == FileType::kAbsent);
    CHECK(machine.remove_file(directory + "/file/below").ok());
    CHECK(machine.read_link(directory + "/file").error().code == "system.EINVAL");
  });
}

TEST_CASE("appending creates a private file and adds to it") {
  on_both([](System& machine, const std::string& directory) {
    REQUIRE(machine.append_file(directory + "/log", "a\n").ok());
    REQUIRE(machine.append_file(directory + "/log", "b\n").ok());
    CHECK(*machine.read_file(directory + "/log") == "a\nb\n");
    CHECK(machine.status(directory + "/log")->mode == 0600);
  });
}

TEST_CASE("making a directory makes its parents and is repeatable") {
  on_both([](System& machine, const std::string& directory) {
    const auto path = directory + "/a/b/c";
    REQUIRE(machine.make_directory(path, mine(0750)).ok());
    CHECK(machine.status(path)->mode == 0750);
    CHECK(machine.status(directory + "/a/b")->mode == 0755);
    REQUIRE(machine.make_directory(path, mine(0700)).ok());
    CHECK(machine.status(path)->mode == 0700);
    CHECK(machine.status(directory + "/a/b")->mode == 0755);
    REQUIRE(machine.replace_file(path + "/file", "x", mine(0600)).ok());
    CHECK(machine.make_directory(path + "/file", mine(0700)).error().code == "system.ENOTDIR");
    REQUIRE(machine.make_link(directory + "/link", path).ok());
    CHECK(machine.make_directory(directory + "/link", mine(0700)).error().code == "system.ENOTDIR");
  });
}

TEST_CASE("only an empty directory is removed") {
  on_both([](System& machine, const std::string& directory) {
    REQUIRE(machine.make_directory(directory + "/d", mine(0700)).ok());
    REQUIRE(machine.replace_file(directory + "/d/file", "x", mine(0600)).ok());
    CHECK(machine.remove_directory(directory + "/d").ok());
    CHECK(type_at(machine, directory + "/d") == FileType::kDirectory);
    REQUIRE(machine.remove_file(directory + "/d/file").ok());
    CHECK(machine.remove_directory(directory + "/d").ok());
    CHECK(type_at(machine, directory + "/d") == FileType::kAbsent);
    CHECK(machine.remove_directory(directory + "/d").ok());
  });
}

TEST_CASE("a link replaces a link or file in one step and is itself replaced by a file") {
  on_both([](System& machine, const std::string& directory) {
    const auto path = directory + "/current";
    REQUIRE(machine.make_link(path, "one").ok());
    REQUIRE(machine.make_link(path, "two").ok());
    CHECK(*machine.read_link(path) == "two");
    CHECK(type_at(machine, path) == FileType::kLink);
    REQUIRE(machine.replace_file(directory + "/two", "target", mine(0600)).ok());
    CHECK(*machine.read_file(path) == "target");
    CHECK(machine.set_attributes(path, mine(0600)).error().code == "system.ELOOP");
    REQUIRE(machine.replace_file(path, "own", mine(0600)).ok());
    CHECK(type_at(machine, path) == FileType::kRegular);
    CHECK(*machine.read_file(directory + "/two") == "target");
    REQUIRE(machine.make_directory(directory + "/d", mine(0700)).ok());
    CHECK(machine.make_link(directory + "/d", "x").error().code == "system.EISDIR");
    CHECK(machine.replace_file(directory + "/d", "x", mine(0600)).error().code == "system.EISDIR");
    CHECK(machine.remove_file(directory + "/d").error().code == "system.EISDIR");
  });
}

TEST_CASE("a link in the directory part is followed, a loop of links is an error") {
  on_both([](System& machine, const std::string& directory) {
    REQUIRE(machine.make_directory(directory + "/real", mine(0755)).ok());
    REQUIRE(machine.make_link(directory + "/alias", "real").ok());
    REQUIRE(machine.replace_file(directory + "/alias/file", "x", mine(0600)).ok());
    CHECK(*machine.read_file(directory + "/real/file") == "x");
    CHECK(*machine.list(directory + "/alias") == std::vector<std::string>{"file"});
    REQUIRE(machine.make_link(directory + "/loop", "loop").ok());
    CHECK(machine.read_file(directory + "/loop").error().code == "system.ELOOP");
  });
}

TEST_CASE("attributes of files and directories are set, set-id bits too") {
  on_both([](System& machine, const std::string& directory) {
    REQUIRE(machine.replace_file(directory + "/file", "x", mine(0600)).ok());
    REQUIRE(machine.set_attributes(directory + "/file", mine(04755)).ok());
    CHECK(machine.status(directory + "/file")->mode == 04755);
    REQUIRE(machine.set_attributes(directory, mine(02770)).ok());
    CHECK(machine.status(directory)->mode == 02770);
  });
}

TEST_CASE("kernel parameters are written in place") {
  on_both([](System& machine, const std::string& directory) {
    REQUIRE(machine.replace_file(directory + "/value", "0\n", mine(0644)).ok());
    REQUIRE(machine.write_kernel_file(directory + "/value", "1\n").ok());
    CHECK(*machine.read_file(directory + "/value") == "1\n");
    CHECK(machine.write_kernel_file(directory + "/none", "1").error().code == "system.ENOENT");
  });
}

}  // namespace sentinel
