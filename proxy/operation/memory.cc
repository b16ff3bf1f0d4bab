// SPDX-License-Identifier: Apache-2.0
// jemalloc(3): "thread.tcache.flush", "arena.<i>.decay". Its own background thread would not do: it leaves alone what
// is less than 4 MiB, and nobody but a thread itself can empty what that thread keeps.
#include "proxy/operation/memory.h"

#include <jemalloc/jemalloc.h>

#include "proxy/net/waiter.h"

// Sanitizers bring an allocator of their own, and with the tests' programs comes the system's.
#pragma weak mallctl

#define SENTINEL_TEXT_OF(number) #number
#define SENTINEL_DECAY_OF(arenas) "arena." SENTINEL_TEXT_OF(arenas) ".decay"

namespace sentinel::proxy {
namespace {

constexpr std::chrono::seconds kEvery{5};

}  // namespace

Task<void> give_memory_back(Loop& loop) {
  while (&mallctl != nullptr) {
    co_await pause_for(loop, kEvery);
    mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0);
    mallctl(SENTINEL_DECAY_OF(MALLCTL_ARENAS_ALL), nullptr, nullptr, nullptr, 0);
  }
}

}  // namespace sentinel::proxy
