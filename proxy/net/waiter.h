// SPDX-License-Identifier: Apache-2.0
// Where one task waits for another task of the same worker, or for time to be up.
#pragma once

#include "proxy/net/loop.h"

namespace sentinel::proxy {

class Waiter {
 public:
  explicit Waiter(Loop& loop) : timer_(loop.context().get_executor()) {}

  /// Ends the wait, also one that hasn't begun.
  void wake() {
    woken_ = true;
    timer_.cancel();
  }

  /// One task at a time. False: nobody woke it.
  Task<bool> wait(std::chrono::milliseconds most) {
    if (!woken_) {
      timer_.expires_after(most);
      co_await timer_.async_wait(kUseTask);
    }
    co_return std::exchange(woken_, false);
  }

 private:
  Timer timer_;
  bool woken_ = false;
};

}  // namespace sentinel::proxy
