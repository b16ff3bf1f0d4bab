// SPDX-License-Identifier: Apache-2.0
#include "proxy/auth/coalesced.h"

#include <atomic>
#include <list>
#include <thread>

#include <catch2/catch.hpp>

using namespace sentinel::proxy;

namespace {

constexpr int kLoops = 4;
constexpr int kTasks = 50;  // of each loop
constexpr std::chrono::milliseconds kLong{20'000};

struct Shared {
  std::list<Loop> loops;
  Coalesced<int> questions;
  std::atomic<int> begun{0};
  std::atomic<int> looked{0};
  std::atomic<int> asked{0};
  std::atomic<int> right{0};
  std::atomic<int> ended{0};
};

/// Lasts until all wait for it: whoever has begun waits when its loop comes to what was posted afterwards.
Task<int> answer(Loop& loop, Shared& shared) {
  ++shared.asked;
  while (shared.begun < kLoops * kTasks) co_await pause_for(loop, std::chrono::milliseconds(1));
  for (Loop& there : shared.loops) there.post([&shared] { ++shared.looked; });
  while (shared.looked < kLoops) co_await pause_for(loop, std::chrono::milliseconds(1));
  co_return 42;
}

Task<void> ask(Loop& loop, Shared& shared) {
  ++shared.begun;
  const auto work = [&] { return answer(loop, shared); };
  const std::optional<int> outcome = co_await shared.questions.run(loop, "key", kLong, work);
  if (outcome == 42) ++shared.right;
  ++shared.ended;
}

Task<void> stop_when_all_have_ended(Loop& loop, Shared& shared) {
  while (shared.ended < kLoops * kTasks) co_await pause_for(loop, std::chrono::milliseconds(1));
  loop.stop();
}

/// Lasts until somebody has given up.
Task<int> answer_late(Loop& loop, Shared& shared) {
  while (shared.ended == 0) co_await pause_for(loop, std::chrono::milliseconds(1));
  co_return 1;
}

Task<void> ask_first(Loop& loop, Shared& shared) {
  const auto work = [&] { return answer_late(loop, shared); };
  const std::optional<int> outcome = co_await shared.questions.run(loop, "key", kLong, work);
  CHECK(outcome == 1);
  CHECK_FALSE(shared.questions.under_way("key"));
  loop.stop();
}

Task<void> give_up(Loop& loop, Shared& shared) {
  const auto work = [&] { return answer(loop, shared); };
  const std::optional<int> outcome = co_await shared.questions.run(loop, "key", std::chrono::milliseconds(5), work);
  CHECK_FALSE(outcome);
  ++shared.ended;
}

}  // namespace

TEST_CASE("What tasks of several threads want at the same time is done once, and all hear of it") {
  Shared shared;
  for (int i = 0; i < kLoops; ++i) {
    Loop& loop = shared.loops.emplace_back();
    for (int j = 0; j < kTasks; ++j) loop.spawn(ask(loop, shared));
    loop.spawn(stop_when_all_have_ended(loop, shared));
  }
  std::list<std::thread> threads;
  for (Loop& loop : shared.loops) threads.emplace_back([&loop] { loop.run(); });
  for (std::thread& thread : threads) thread.join();
  CHECK(shared.asked == 1);
  CHECK(shared.right == kLoops * kTasks);
}

TEST_CASE("Who has given up is not woken any more") {
  Shared shared;
  Loop loop;
  loop.spawn(ask_first(loop, shared));
  loop.spawn(give_up(loop, shared));
  loop.run();
  CHECK(shared.asked == 0);
}
