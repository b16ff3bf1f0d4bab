// SPDX-License-Identifier: Apache-2.0
// Where one task waits for another task of the same worker, or for time to be up.
#pragma once

#include <chrono>
#include <utility>

#include "proxy/net/loop.h"

namespace sentinel::proxy {

class Waiter {
 public:
  explicit Waiter(Loop& loop)
      : standing_(loop),
        time_(
            loop.deadlines(), [](void* self) { static_cast<Waiter*>(self)->standing_.resume_soon(); }, this) {}

  /// Ends the wait, also one that hasn't begun.
  void wake() {
    woken_ = true;
    standing_.resume_soon();
  }

  /// One task at a time. False: nobody woke it.
  Task<bool> wait(std::chrono::milliseconds most) {
    if (!woken_) {
      time_.arm(most);
      co_await standing_.wait();
      time_.disarm();
    }
    co_return std::exchange(woken_, false);
  }

 private:
  bool woken_ = false;
  Suspension standing_;
  Deadline time_;
};

/// Lets `time` pass.
inline Task<void> pause_for(Loop& loop, std::chrono::milliseconds time) {
  Waiter nobody_wakes_it(loop);
  co_await nobody_wakes_it.wait(time);
}

}  // namespace sentinel::proxy
