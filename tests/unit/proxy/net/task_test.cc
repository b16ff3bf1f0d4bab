// SPDX-License-Identifier: Apache-2.0
// Tasks: outcomes, depth of the stack, what is destroyed when, and in whose turn a task goes on.
#include "proxy/net/task.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "proxy/net/waiter.h"

namespace sentinel::proxy {
namespace {

constexpr std::chrono::milliseconds kSoon{1};

Task<std::unique_ptr<int>> at_once(int value) {
  co_return std::make_unique<int>(value);
}

Task<std::unique_ptr<int>> later(Loop& loop, int value) {
  co_await pause_for(loop, kSoon);
  co_return std::make_unique<int>(value);
}

Task<void> add_up(Loop& loop, int& sum) {
  // Deep enough to end any stack, if each left something on it.
  for (int i = 0; i < 1'000'000; ++i) {
    const std::unique_ptr<int> one = co_await at_once(1);
    sum += *one;
  }
  const std::unique_ptr<int> last = co_await later(loop, 5);
  sum += *last;
  loop.stop();
}

struct Held {
  Held(std::vector<std::string>& told_, std::string name_) : told(told_), name(std::move(name_)) {}

  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  ~Held() { told.push_back(name); }

  std::vector<std::string>& told;
  std::string name;
};

Task<void> inner(Loop& loop, std::vector<std::string>& told) {
  const Held held(told, "inner");
  co_await pause_for(loop, std::chrono::hours(1));
  told.push_back("never");
}

Task<void> outer(Loop& loop, std::vector<std::string>& told) {
  const Held held(told, "outer");
  co_await inner(loop, told);
  told.push_back("never");
}

Task<void> note(std::vector<std::string>& told, std::string name) {
  told.push_back(std::move(name));
  co_return;
}

Task<void> spawn_another(Loop& loop, std::vector<std::string>& told) {
  loop.spawn(note(told, "spawned"));
  told.push_back("spawning");
  co_await pause_for(loop, kSoon);
  told.push_back("spawned before");
  loop.stop();
}

Task<void> stop(Loop& loop) {
  loop.stop();
  co_return;
}

}  // namespace

TEST_CASE("tasks hand on what they made, with a wait or without, and leave nothing on the stack") {
  Loop loop;
  int sum = 0;
  loop.spawn(add_up(loop, sum));
  loop.run();
  CHECK(sum == 1'000'005);
}

TEST_CASE("with the loop go tasks that wait, the inner ones first, and those that haven't begun") {
  std::vector<std::string> told;
  {
    Loop loop;
    loop.spawn(outer(loop, told));
    loop.spawn(stop(loop));
    loop.run();
    loop.spawn(note(told, "not begun"));
    CHECK(told.empty());
  }
  CHECK(told == std::vector<std::string>{"inner", "outer"});
}

TEST_CASE("a task that nobody awaited was never begun") {
  std::vector<std::string> told;
  { [[maybe_unused]] const Task<void> task = note(told, "begun"); }
  CHECK(told.empty());
}

TEST_CASE("a spawned task begins in a turn of its own") {
  std::vector<std::string> told;
  Loop loop;
  loop.spawn(spawn_another(loop, told));
  loop.run();
  CHECK(told == std::vector<std::string>{"spawning", "spawned", "spawned before"});
}

TEST_CASE("work of other threads is done in order, all of it") {
  constexpr int kEach = 10'000;
  Loop loop;
  std::vector<int> heard;
  std::thread other([&] {
    for (int i = 0; i < kEach; ++i) {
      loop.post([&heard, i] { heard.push_back(i); });
    }
    loop.post([&loop] { loop.stop(); });
  });
  loop.run();
  other.join();
  REQUIRE(heard.size() == kEach);
  for (int i = 0; i < kEach; ++i) REQUIRE(heard[static_cast<std::size_t>(i)] == i);
}

}  // namespace sentinel::proxy
