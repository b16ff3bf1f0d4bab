// SPDX-License-Identifier: Apache-2.0
// The future tree for real: a mount namespace over this machine's /etc, of which nothing is seen outside. Needs root.
#include "core/system/future_tree.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include <catch2/catch.hpp>

#include "core/base/file.h"
#include "core/system/local_system.h"

namespace sentinel {
namespace {

/// A staged tree with etc/hostname and a new file, removed at the end.
class Staged {
 public:
  Staged() {
    REQUIRE(::mkdtemp(root_.data()) != nullptr);
    REQUIRE(::chmod(root_.c_str(), 0700) == 0);
    REQUIRE(make_directories(root_ + "/etc/sentinel-test").ok());
    REQUIRE(replace_file(root_ + "/etc/hosts", "future hosts\n", {0, 0, 0644}).ok());
    REQUIRE(replace_file(root_ + "/etc/sentinel-test/secret", "for root\n", {0, 0, 0600}).ok());
  }

  ~Staged() {
    for (const char* path : {"/etc/sentinel-test/secret", "/etc/hosts"}) ::unlink((root_ + path).c_str());
    for (const char* path : {"/etc/sentinel-test", "/etc", ""}) ::rmdir((root_ + path).c_str());
  }

  const std::string& root() const { return root_; }

 private:
  std::string root_ = "/tmp/sentinel-staged-XXXXXX";
};

Result<CommandResult> run(const Staged& staged, std::vector<std::string> argv, const std::string& user = {}) {
  CommandLine command;
  command.argv = std::move(argv);
  return run_in_future_tree(staged.root(), command, user);
}

TEST_CASE("a program sees staged files over the real ones, and the real ones where none is staged") {
  REQUIRE(::geteuid() == 0);
  const Staged staged;
  const auto both = run(staged, {"cat", "/etc/hosts", "/etc/sentinel-test/secret", "/etc/passwd"});
  INFO((both.ok() ? both->errors : both.error().message));
  REQUIRE(both.ok());
  CHECK(both->status == 0);
  CHECK(both->output.starts_with("future hosts\nfor root\nroot:"));
}

TEST_CASE("outside nothing is seen of it, before, during and after") {
  const Staged staged;
  const auto before = read_whole_file("/etc/hosts");
  REQUIRE(before.ok());
  REQUIRE(run(staged, {"true"}).ok());
  CHECK(*read_whole_file("/etc/hosts") == *before);
  CHECK(::access("/etc/sentinel-test", F_OK) != 0);
}

TEST_CASE("the tree is read-only: a validator can't change /etc") {
  const Staged staged;
  const auto written = run(staged, {"touch", "/etc/sentinel-was-here"});
  REQUIRE(written.ok());
  CHECK(written->status != 0);
  CHECK(::access("/etc/sentinel-was-here", F_OK) != 0);
}

TEST_CASE("a service's user runs with its ids, its home and no way up") {
  const Staged staged;
  const auto who = run(staged,
                       {"sh", "-c",
                        "id -un; id -u; echo $HOME; cat /etc/hosts; cat /etc/sentinel-test/secret || echo denied; grep "
                        "NoNewPrivs /proc/self/status"},
                       "nobody");
  INFO((who.ok() ? who->errors : who.error().message));
  REQUIRE(who.ok());
  CHECK(who->output == "nobody\n65534\n/nonexistent\nfuture hosts\ndenied\nNoNewPrivs:\t1\n");
}

TEST_CASE("groups of which the user is a member by name come along") {
  const Staged staged;
  // Debian's www-data is in no other group; nobody may be made so in a staged group file, but groups are those of
  // today.
  const auto groups = run(staged, {"id", "-Gn"}, "www-data");
  REQUIRE(groups.ok());
  CHECK(groups->output == "www-data\n");
}

TEST_CASE("a user that isn't there is an error, and so is a root that can't be laid over") {
  const Staged staged;
  CHECK(run(staged, {"true"}, "no-such-user").error().code == "future.no-user");
  CommandLine command;
  command.argv = {"true"};
  CHECK(run_in_future_tree("/tmp/a,b", command, "").error().code == "future.bad-root");
  CHECK(run_in_future_tree("relative", command, "").error().code == "future.bad-root");
}

/// Runs in a child whose /etc is so deep in overlays that the kernel allows no other on top.
int in_depth(const Staged& staged) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 10;
  const std::string options = "lowerdir=" + staged.root() + "/etc:/etc";
  int layers = 0;
  while (layers < 5 && ::mount("overlay", "/etc", "overlay", MS_RDONLY, options.c_str()) == 0) ++layers;
  if (layers == 5) return 11;
  const auto seen = run(staged, {"cat", "/etc/hosts", "/etc/passwd"}, "nobody");
  if (!seen.ok()) return 12;
  if (!seen->output.starts_with("future hosts\nroot:")) return 13;
  const auto written = run(staged, {"touch", "/etc/sentinel-was-here"});
  return written.ok() && written->status != 0 ? 0 : 14;
}

TEST_CASE("where no overlay can be laid a merged copy of /etc serves, and is gone afterwards") {
  const Staged staged;
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) ::_exit(in_depth(staged));
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(WEXITSTATUS(status) == 0);
  const auto names = LocalSystem().list("/tmp");
  REQUIRE(names.ok());
  const std::string leftover = staged.root().substr(5) + ".merged";
  CHECK(
      std::none_of(names->begin(), names->end(), [&](const std::string& name) { return name.starts_with(leftover); }));
}

TEST_CASE("a program that isn't there has status 127, as without a tree") {
  const Staged staged;
  const auto missing = run(staged, {"/usr/bin/no-such-validator"});
  REQUIRE(missing.ok());
  CHECK(missing->status == 127);
}

}  // namespace
}  // namespace sentinel
