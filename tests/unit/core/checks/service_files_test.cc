// SPDX-License-Identifier: Apache-2.0
// Times as fail2ban's files have them.
#include <catch2/catch.hpp>

#include "core/checks/fail2ban_files.h"

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
