// SPDX-License-Identifier: Apache-2.0
// Work on many hosts at once: a thread each, a bounded number at a time, nothing shared but what the work itself shares.
#pragma once

#include <cstddef>
#include <functional>

namespace sentinel {

/// Calls work(0) … work(count - 1), at most `parallel` at the same time, and returns when all have returned.
void for_each_host(std::size_t count, unsigned parallel, const std::function<void(std::size_t)>& work);

}  // namespace sentinel
