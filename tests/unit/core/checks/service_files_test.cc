// SPDX-License-Identifier: Apache-2.0
// Times as fail2ban's files have them.
#include <catch2/catch.hpp>

#include "core/checks/fail2ban_files.h"
#include "tests/support/fake_system.h"

using namespace sentinel;

TEST_CASE("times of a jail: units, sums, for ever, and what is no time") {
  CHECK(jail_seconds("600") == 600);
  CHECK(jail_seconds("24h") == 86400);
  CHECK(jail_seconds("1d 12h") == 129600);
  CHECK(jail_seconds("2w") == 1209600);
  CHECK(jail_seconds("1mo") == 2629800);
  CHECK(jail_seconds("-1") == -1);
  CHECK(!jail_seconds(""));
  CHECK(!jail_seconds("%(bantime)s"));
  CHECK(!jail_seconds("soon"));
}

TEST_CASE("options of a jail: later files win, and references lead to other options") {
  FakeSystem machine;
  machine.put_file("/etc/fail2ban/jail.conf",
                   "[DEFAULT]\nbantime = 10m\nmine = 30\nloop = %(loop)s\n[sshd]\nport = ssh\n");
  machine.put_file("/etc/fail2ban/jail.d/a.local",
                   "[sshd]\nmaxretry = %(mine)s\nignoreip = 127.0.0.1/8 %(friends)s\n  %(mine)s\nlast = %(loop)s\n");
  auto options = jail_options("sshd", machine).value();
  CHECK(options["bantime"] == "10m");
  CHECK(options["maxretry"] == "30");
  CHECK(options["ignoreip"] == "127.0.0.1/8 %(friends)s\n30");
  CHECK(options["last"] == "%(loop)s");
  machine.put_file("/etc/fail2ban/jail.d/b.local", "[sshd]\nmaxretry = 2\n");
  CHECK(jail_options("sshd", machine).value()["maxretry"] == "2");
}
