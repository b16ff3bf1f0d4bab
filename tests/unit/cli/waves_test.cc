// SPDX-License-Identifier: Apache-2.0
// Every host is in exactly one wave, whatever was chosen.
#include "cli/waves.h"

#include <catch2/catch.hpp>

namespace sentinel {

TEST_CASE("hosts go in waves, a few of them first") {
  const auto waves = [](unsigned canary, unsigned wave) { return waves_of(5, {canary, wave, {}, true}); };
  CHECK(waves(0, 0) == std::vector<Wave>{{0, 5}});
  CHECK(waves(1, 0) == std::vector<Wave>{{0, 1}, {1, 5}});
  CHECK(waves(2, 2) == std::vector<Wave>{{0, 2}, {2, 4}, {4, 5}});
  CHECK(waves(0, 3) == std::vector<Wave>{{0, 3}, {3, 5}});
  CHECK(waves(9, 1) == std::vector<Wave>{{0, 5}});
  CHECK(waves_of(0, {1, 1, {}, true}).empty());
}

TEST_CASE("the order is said where there is one") {
  const std::vector<std::string> hosts{"web-1", "web-2", "web-3"};
  CHECK(describe_waves(hosts, {}).empty());
  CHECK(describe_waves(hosts, {3, 1, {}, true}).empty());
  CHECK(describe_waves(hosts, {1, 0, {}, true}) == "web-1 first, then all others");
  CHECK(describe_waves(hosts, {2, 1, {}, true}) == "web-1, web-2 first, then 1 at a time");
  CHECK(describe_waves(hosts, {0, 2, {}, true}) == "2 at a time");
}

}  // namespace sentinel
