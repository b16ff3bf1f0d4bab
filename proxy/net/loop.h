// SPDX-License-Identifier: Apache-2.0
// One worker's event loop: an io_context that one thread runs, its deadlines, and the scratch bytes every read of that
// thread goes through. What is in the scratch is valid until the next co_await, because another connection of the same
// worker reads into it too.
#pragma once

#include <cstddef>
#include <memory>

#include "proxy/net/asio.h"
#include "proxy/net/deadline.h"

namespace sentinel::proxy {

class Loop {
 public:
  static constexpr std::size_t kScratch = std::size_t{64} << 10;

  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until stop(); called by the worker's thread.
  void run();
  /// From any thread.
  void stop();

  asio::io_context& context() { return context_; }

  DeadlineWheel& deadlines() { return deadlines_; }

  char* scratch() { return scratch_.get(); }

  /// Starts a task of this worker. An exception out of a task is a bug and terminates.
  void spawn(Task<void> task);

  /// Hands work to this worker from another thread.
  template <typename Work>
  void post(Work work) {
    asio::post(context_, std::move(work));
  }

 private:
  Task<void> tick();

  DeadlineWheel deadlines_;
  std::unique_ptr<char[]> scratch_;
  /// One thread does all input and output, so the reactor needs no locks; work may be posted by any. Last: suspended
  /// tasks die before what they refer to.
  asio::io_context context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
};

}  // namespace sentinel::proxy
