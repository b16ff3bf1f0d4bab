// SPDX-License-Identifier: Apache-2.0
// Where one task stands still until the worker's loop sends it on: the coroutine itself is kept, nothing is queued,
// allocated or locked for it. What streams and waiters are made of.
#pragma once

#include "proxy/net/task.h"

namespace sentinel::proxy {

class Loop;

/// Of one worker's thread. Destroyed with a task in it, it leaves the task to whoever destroys it.
class Suspension : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  explicit Suspension(Loop& loop) : loop_(loop) {}

  Suspension(const Suspension&) = delete;
  Suspension& operator=(const Suspension&) = delete;

  bool waiting() const { return task_ != nullptr; }

  /// For co_await: one task at a time stands until resumed.
  bool await_ready() const { return false; }

  void await_suspend(std::coroutine_handle<> task) { task_ = task; }

  void await_resume() const {}

  /// Goes on at once, within this call, which may destroy the suspension. Only for the loop's own turn.
  void resume();

  /// Goes on when the loop comes round; anybody on the worker's thread may ask, as often as they like.
  void resume_soon();

 private:
  Loop& loop_;
  std::coroutine_handle<> task_;
};

using Suspensions = boost::intrusive::list<Suspension, boost::intrusive::constant_time_size<false>>;

}  // namespace sentinel::proxy
