// SPDX-License-Identifier: Apache-2.0
// Every host is worked on once, and never more at a time than allowed.
#include "cli/fleet.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

TEST_CASE("Each host is worked on exactly once") {
  std::vector<std::atomic<int>> calls(100);
  for_each_host(calls.size(), 8, [&](std::size_t i) { ++calls[i]; });
  for (const auto& count : calls) CHECK(count == 1);
}

TEST_CASE("No more hosts are worked on at the same time than allowed, and not fewer") {
  std::mutex mutex;
  std::condition_variable arrived;
  int now = 0;
  int most = 0;
  int met = 0;
  for_each_host(12, 4, [&](std::size_t) {
    std::unique_lock lock(mutex);
    most = std::max(most, ++now);
    ++met;
    arrived.notify_all();
    arrived.wait(lock, [&] { return met % 4 == 0 || most == 4; });
    --now;
  });
  CHECK(most == 4);
}

TEST_CASE("No host is no work") {
  for_each_host(0, 4, [](std::size_t) { FAIL("called"); });
}

}  // namespace
}  // namespace sentinel
