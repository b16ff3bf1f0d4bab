// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/deadline.h"

#include <memory>
#include <vector>

#include <catch2/catch.hpp>

using namespace sentinel::proxy;
using std::chrono::milliseconds;

namespace {

DeadlineWheel::Time now{};

DeadlineWheel::Time fake_now() {
  return now;
}

void count(void* counter) {
  ++*static_cast<int*>(counter);
}

}  // namespace

TEST_CASE("A deadline fires once, never early and at most a tick late") {
  for (const int after : {0, 1, 19, 20, 21, 500, 10'239, 10'240, 10'241, 60'000}) {
    INFO(after);
    now = {};
    DeadlineWheel wheel(DeadlineWheel::kTick, fake_now);
    int fired = 0;
    Deadline deadline(wheel, count, &fired);
    deadline.arm(milliseconds(after));
    int fired_at = -1;
    for (int at = 0; at <= after + 100; ++at) {
      now = DeadlineWheel::Time{} + milliseconds(at);
      wheel.advance();
      if (fired == 1 && fired_at < 0) fired_at = at;
    }
    CHECK(fired == 1);
    CHECK(fired_at >= after);
    CHECK(fired_at <= after + 20);
    CHECK_FALSE(deadline.armed());
  }
}

TEST_CASE("A disarmed, replaced or destroyed deadline doesn't fire") {
  now = {};
  DeadlineWheel wheel(DeadlineWheel::kTick, fake_now);
  int fired = 0;
  Deadline disarmed(wheel, count, &fired);
  Deadline replaced(wheel, count, &fired);
  {
    Deadline destroyed(wheel, count, &fired);
    destroyed.arm(milliseconds(40));
    disarmed.arm(milliseconds(40));
    replaced.arm(milliseconds(40));
    disarmed.disarm();
    replaced.arm(milliseconds(400));
  }
  now += milliseconds(200);
  wheel.advance();
  CHECK(fired == 0);
  now += milliseconds(300);
  wheel.advance();
  CHECK(fired == 1);
}

TEST_CASE("A callback may destroy a deadline that is due in the same tick") {
  now = {};
  DeadlineWheel wheel(DeadlineWheel::kTick, fake_now);

  struct Pair {
    std::unique_ptr<Deadline> one, other;
    int fired = 0;
  } pair;

  const auto fire = [](void* owner) {
    auto& both = *static_cast<Pair*>(owner);
    ++both.fired;
    both.one.reset();
    both.other.reset();
  };
  pair.one = std::make_unique<Deadline>(wheel, fire, &pair);
  pair.other = std::make_unique<Deadline>(wheel, fire, &pair);
  pair.one->arm(milliseconds(20));
  pair.other->arm(milliseconds(20));
  now += milliseconds(100);
  wheel.advance();
  CHECK(pair.fired == 1);
}
