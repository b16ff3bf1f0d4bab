// SPDX-License-Identifier: Apache-2.0
// Signals become levels, and descriptors that stay readable.
#include "cli/interruption.h"

#include <poll.h>
#include <signal.h>

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

bool readable(const Interruption::Watch& watch, int wait_ms) {
  pollfd watched{watch.fd(), POLLIN, 0};
  return poll(&watched, 1, wait_ms) == 1;
}

TEST_CASE("The first signal ends ordinary waits, the second those of transactions") {
  Interruption interruption;
  const Interruption::Watch ordinary(interruption, 1);
  Interruption::Watch transaction(interruption, 1);
  transaction.raise_threshold(2);
  CHECK_FALSE(readable(ordinary, 0));
  raise(SIGINT);
  CHECK(readable(ordinary, 10'000));
  CHECK(interruption.level() == 1);
  CHECK_FALSE(readable(transaction, 0));
  const Interruption::Watch late(interruption, 1);
  CHECK(readable(late, 0));
  raise(SIGTERM);
  CHECK(readable(transaction, 10'000));
  CHECK(interruption.level() == 2);
}

TEST_CASE("A watch that was reached is quiet again when its threshold rises") {
  Interruption interruption;
  Interruption::Watch watch(interruption, 1);
  raise(SIGINT);
  REQUIRE(readable(watch, 10'000));
  watch.raise_threshold(2);
  CHECK_FALSE(readable(watch, 0));
}

}  // namespace
}  // namespace sentinel
