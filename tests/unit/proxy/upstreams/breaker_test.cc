// SPDX-License-Identifier: Apache-2.0
#include "proxy/upstreams/breaker.h"

#include <catch2/catch.hpp>

using namespace sentinel::proxy;
using namespace std::chrono_literals;

TEST_CASE("Failures in a row open it, a success in between doesn't let them add up") {
  Breaker breaker({3, 10s});
  const Breaker::Time now{};
  for (int i = 0; i < 2; ++i) breaker.failed(now);
  breaker.succeeded();
  for (int i = 0; i < 2; ++i) breaker.failed(now);
  CHECK(breaker.admit(now));
  breaker.failed(now);
  CHECK_FALSE(breaker.admit(now));
  CHECK(breaker.closed_for(now) == 10s);
}

TEST_CASE("After its time one attempt may try, and decides") {
  Breaker breaker({1, 10s});
  const Breaker::Time now{};
  breaker.failed(now);
  CHECK_FALSE(breaker.admit(now + 9s));
  CHECK(breaker.admit(now + 10s));
  CHECK_FALSE(breaker.admit(now + 10s));
  breaker.failed(now + 11s);
  CHECK_FALSE(breaker.admit(now + 20s));
  CHECK(breaker.admit(now + 21s));
  breaker.abandoned();
  CHECK(breaker.admit(now + 21s));
  breaker.succeeded();
  CHECK(breaker.admit(now + 21s));
  CHECK(breaker.admit(now + 21s));
  CHECK(breaker.state() == Breaker::State::kClosed);
}

TEST_CASE("An upstream that asked for rest gets it, and is not held to have failed") {
  Breaker breaker({1, 10s});
  const Breaker::Time now{};
  breaker.rest(now + 2s);
  CHECK_FALSE(breaker.admit(now + 1s));
  CHECK(breaker.closed_for(now) == 2s);
  CHECK(breaker.admit(now + 2s));
  CHECK(breaker.state() == Breaker::State::kClosed);
}
