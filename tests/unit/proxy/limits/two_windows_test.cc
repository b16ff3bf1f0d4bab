// SPDX-License-Identifier: Apache-2.0
#include "proxy/limits/two_windows.h"

#include <catch2/catch.hpp>

#include "proxy/limits/local_rate_limiter.h"

using namespace sentinel::proxy;

TEST_CASE("The table of the original's verdicts holds") {
  struct Row {
    std::int64_t previous, current, elapsed, total;
    bool allowed;
    std::int64_t remaining;
  };

  for (const Row& row : {Row{80, 21, 15, 81, true, 19}, Row{100, 1, 0, 101, false, 0}, Row{100, 1, 30, 51, true, 49},
                         Row{100, 99, 59, 100, true, 0}, Row{100, 100, 59, 101, false, 0},
                         Row{50, 75, 30, 100, true, 0}, Row{50, 76, 30, 101, false, 0}, Row{1, 1, 1, 1, true, 99}}) {
    const RateVerdict verdict = decide_two_windows(row.previous, row.current, 6000 + row.elapsed, 100);
    CHECK(verdict.used == row.total);
    CHECK(verdict.allowed == row.allowed);
    CHECK(verdict.remaining() == row.remaining);
    CHECK(verdict.reset_at == 6060);
  }
}

TEST_CASE("The arithmetic is that of doubles, which differs from integers in 171 of the pairs") {
  int differing = 0;
  for (std::int64_t previous = 0; previous <= 200; ++previous) {
    for (std::int64_t elapsed = 0; elapsed < 60; ++elapsed) {
      if (decide_two_windows(previous, 0, elapsed, 100).used != previous * (60 - elapsed) / 60) ++differing;
    }
  }
  CHECK(differing == 171);
  CHECK(decide_two_windows(5, 0, 48, 100).used == 0);
}

TEST_CASE("Users are counted apart, refused requests too, and windows turn") {
  WindowCounts counts;
  for (int i = 0; i < 5; ++i) counts.count("a", 600, 3);
  CHECK(counts.count("a", 600, 3).used == 6);
  CHECK(counts.count("b", 600, 3).used == 1);
  CHECK(counts.count("b", 640, 3).retry_after() == 20);
  CHECK(counts.count("a", 660, 3).used == 7);
  CHECK(counts.count("a", 690, 3).used == 5);
  CHECK(counts.count("a", 780, 3).used == 1);
}
