// SPDX-License-Identifier: Apache-2.0
// A probe's condition from scripted answers, a second apart: rows, flapping, back-off, and jitter within its bounds.
#include "core/health/condition.h"

#include <set>

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

struct Watched {
  Watched() {
    probe.successes = 2;
    probe.failures = 3;
    condition.emplace(probe);
  }

  /// The names of the conditions it changes to.
  std::vector<std::string> take(const std::string& answers) {
    std::vector<std::string> out;
    for (const char answer : answers) {
      now += seconds(1);
      if (const auto changed = condition->take(answer == '+', now)) out.push_back(name_of(*changed));
    }
    return out;
  }

  Probe probe;
  std::optional<ProbeCondition> condition;
  nanoseconds now{0};
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a condition needs its answers in a row") {
  Watched watched;
  CHECK(watched.take("+-+--+--") == Names{});
  CHECK(watched.condition->condition() == Condition::kUnknown);
  CHECK(watched.take("++") == Names{"healthy"});
  CHECK(watched.take("--+--+--") == Names{});
  CHECK(watched.take("-") == Names{"unhealthy"});
  CHECK(watched.take("+-+-+") == Names{});
  CHECK(watched.take("+") == Names{"healthy"});
}

TEST_CASE("going to and fro is flapping, said once, and over after quiet") {
  Watched watched;
  CHECK(watched.take("++---++---++") == Names{"healthy", "unhealthy", "healthy", "unhealthy", "flapping"});
  CHECK(watched.take("---++---++---++") == Names{});
  CHECK(watched.take(std::string(118, '+')) == Names{});
  CHECK(watched.take("+++") == Names{"healthy"});
}

TEST_CASE("each flapping needs more quiet than the one before") {
  Watched watched;
  watched.take("++---++---++");
  REQUIRE(watched.take(std::string(130, '+')) == Names{"healthy"});
  REQUIRE(watched.take("---++---++") == Names{"unhealthy", "healthy", "unhealthy", "flapping"});
  CHECK(watched.take(std::string(230, '+')) == Names{});
  CHECK(watched.take(std::string(20, '+')) == Names{"healthy"});
}

TEST_CASE("turns that are far apart are no flapping") {
  Watched watched;
  watched.take("++");
  for (int i = 0; i < 6; ++i) {
    CHECK(watched.take("---") == Names{"unhealthy"});
    watched.now += minutes(4);
    CHECK(watched.take("++") == Names{"healthy"});
    watched.now += minutes(4);
  }
}

TEST_CASE("the back-off is forgotten after a long quiet") {
  Watched watched;
  watched.take("++---++---++" + std::string(130, '+'));
  watched.now += minutes(40);
  REQUIRE(watched.take("---++---++").back() == "flapping");
  CHECK(watched.take(std::string(130, '+')) == Names{"healthy"});
}

TEST_CASE("jitter stays within a tenth and is the same for the same seed") {
  std::mt19937 random(7);
  std::mt19937 again(7);
  std::set<milliseconds> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto value = with_jitter(milliseconds(1000), random);
    CHECK(value == with_jitter(milliseconds(1000), again));
    CHECK((value >= milliseconds(900) && value <= milliseconds(1100)));
    seen.insert(value);
  }
  CHECK(seen.size() > 100);
  CHECK(with_jitter(milliseconds(0), random) == milliseconds(0));
}

}  // namespace sentinel
