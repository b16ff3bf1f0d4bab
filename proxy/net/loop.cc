// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/loop.h"

#include <exception>

#include <boost/asio/post.hpp>

namespace sentinel::proxy {

Loop::Loop() : scratch_(new char[kScratch]) {}

void Loop::run() {
  spawn(tick());
  context_.run();
}

void Loop::stop() {
  context_.stop();
}

void Loop::spawn(Task<void> task) {
  asio::co_spawn(context_, std::move(task), [](const std::exception_ptr& failure) {
    if (failure != nullptr) std::terminate();
  });
}

Task<void> Loop::tick() {
  Timer timer(context_.get_executor());
  for (;;) {
    timer.expires_after(DeadlineWheel::kTick);
    co_await timer.async_wait(kUseTask);
    deadlines_.advance();
  }
}

}  // namespace sentinel::proxy
