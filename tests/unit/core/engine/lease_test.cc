// SPDX-License-Identifier: Apache-2.0
// The lease between real processes: one holds it, the other is told who and since when, and a kill frees it at once.
#include "core/engine/lease.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "core/base/file.h"

namespace sentinel {
namespace {

struct Directory {
  std::string path;

  Directory() {
    char name[] = "/tmp/sentinel-lease-XXXXXX";
    path = ::mkdtemp(name);
  }

  ~Directory() {
    ::unlink((path + "/lease").c_str());
    ::rmdir(path.c_str());
  }

  std::string lease() const { return path + "/lease"; }
};

/// A process that takes the lease, says so over a pipe, and holds it until it is killed.
struct Holder {
  pid_t pid = -1;

  explicit Holder(const std::string& path) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid = ::fork();
    if (pid == 0) {
      SystemClock clock;
      auto lease = Lease::acquire(path, {"ann@laptop", "bootstrap", "2026-01-01T00:00:00Z", ::getpid(), "t1"}, clock);
      const char answer = lease.ok() ? 'y' : 'n';
      if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char answer = 0;
    REQUIRE(::read(ready[0], &answer, 1) == 1);
    REQUIRE(answer == 'y');
    ::close(ready[0]);
  }

  void kill() {
    if (pid < 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    pid = -1;
  }

  ~Holder() { kill(); }
};

}  // namespace

TEST_CASE("a held lease names its holder, and is free the moment the holder is killed") {
  Directory directory;
  SystemClock clock;
  CHECK_FALSE(Lease::holder(directory.lease())->has_value());
  Holder holder(directory.lease());
  const auto refused = Lease::acquire(directory.lease(), {}, clock);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "lease.held");
  CHECK(refused.error().exit == ExitCode::kLeaseHeld);
  CHECK(refused.error().message == "ann@laptop is changing this host (bootstrap) since 2026-01-01T00:00:00Z");
  const auto who = Lease::holder(directory.lease());
  REQUIRE(who.ok());
  REQUIRE(who->has_value());
  CHECK((*who)->transaction == "t1");
  CHECK((*who)->pid == holder.pid);
  holder.kill();
  CHECK_FALSE(Lease::holder(directory.lease())->has_value());
  CHECK(Lease::acquire(directory.lease(), {}, clock).ok());
}

TEST_CASE("a lease given back can be taken again, by a patient one as soon as it is free") {
  Directory directory;
  SystemClock clock;
  {
    const auto first = Lease::acquire(directory.lease(), {"a", "b", "c", 1, "d"}, clock);
    REQUIRE(first.ok());
    CHECK_FALSE(Lease::acquire(directory.lease(), {}, clock).ok());
  }
  Holder holder(directory.lease());
  const pid_t killer = ::fork();
  if (killer == 0) {
    ::usleep(150'000);
    ::kill(holder.pid, SIGKILL);
    ::_exit(0);
  }
  CHECK(Lease::acquire(directory.lease(), {}, clock, std::chrono::seconds(20)).ok());
  ::waitpid(killer, nullptr, 0);
}

}  // namespace sentinel
