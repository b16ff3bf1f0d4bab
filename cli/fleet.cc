// SPDX-License-Identifier: Apache-2.0
// Threads take the next number until none is left; a single host needs no thread of its own.
#include "cli/fleet.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace sentinel {

void for_each_host(std::size_t count, unsigned parallel, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto take_turns = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  const std::size_t threads = std::min<std::size_t>(count, parallel);
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(take_turns);
  take_turns();
}

}  // namespace sentinel
