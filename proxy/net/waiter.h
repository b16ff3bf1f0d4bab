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

  /// What wait() gives to co_await; its outcome is whether somebody woke it.
  struct Wait {
    bool await_ready() const { return waiter.woken_; }

    void await_suspend(std::coroutine_handle<> task) {
      waiter.time_.arm(most);
      waiter.standing_.await_suspend(task);
    }

    bool await_resume() {
      waiter.time_.disarm();
      return std::exchange(waiter.woken_, false);
    }

    Waiter& waiter;
    std::chrono::milliseconds most;
  };

  /// One task at a time. False: nobody woke it.
  Wait wait(std::chrono::milliseconds most) { return {*this, most}; }

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
