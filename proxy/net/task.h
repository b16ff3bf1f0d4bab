// SPDX-License-Identifier: Apache-2.0
// What a worker's work is written in: a coroutine that whoever awaits it begins, that waits in a Suspension, and that
// the worker's loop sends on. Rules under gcc 12: co_await only as a whole initialiser or statement, arguments by value
// or by reference to something that outlives the task, no capturing lambda that is itself a coroutine, no braced
// temporaries in an awaited call. A frame keeps room for every local and temporary of its coroutine at once, so what
// waits long is kept apart from what is done once.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/intrusive/list.hpp>

namespace sentinel::proxy {

/// How a task ends.
template <typename T>
struct TaskOutcome {
  template <typename Value>
  void return_value(Value&& value) {
    outcome.emplace(std::forward<Value>(value));
  }

  std::optional<T> outcome;
};

template <>
struct TaskOutcome<void> {
  void return_void() {}
};

/// A coroutine of one worker. It never throws: outcomes are return values. Destroyed before its end, it takes along
/// what it holds.
template <typename T>
class [[nodiscard]] Task {
 public:
  struct promise_type : TaskOutcome<T> {
    struct Ending {
      bool await_ready() noexcept { return false; }

      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> over) noexcept {
        return over.promise().awaited_by;
      }

      void await_resume() noexcept {}
    };

    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }

    std::suspend_always initial_suspend() noexcept { return {}; }

    Ending final_suspend() noexcept { return {}; }

    void unhandled_exception() noexcept { std::terminate(); }

    std::coroutine_handle<> awaited_by = std::noop_coroutine();
  };

  Task(Task&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}

  ~Task() {
    if (task_) task_.destroy();
  }

  /// Runs up to its first wait. One that needs none was never suspended, and a loop of such tasks has no deep stack.
  bool await_ready() {
    task_.resume();
    return task_.done();
  }

  void await_suspend(std::coroutine_handle<> by) { task_.promise().awaited_by = by; }

  T await_resume() {
    if constexpr (!std::is_void_v<T>) return std::move(*task_.promise().outcome);
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> task) : task_(task) {}

  std::coroutine_handle<promise_type> task_;
};

/// Runs a task that nobody awaits. It destroys itself at its end; before it, whoever keeps the list does.
class SpawnedTask {
 public:
  struct promise_type : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    SpawnedTask get_return_object() { return SpawnedTask(*this); }

    std::suspend_always initial_suspend() noexcept { return {}; }

    std::suspend_never final_suspend() noexcept { return {}; }

    void unhandled_exception() noexcept { std::terminate(); }

    void return_void() {}

    std::coroutine_handle<promise_type> handle() { return std::coroutine_handle<promise_type>::from_promise(*this); }
  };

  using List = boost::intrusive::list<promise_type, boost::intrusive::constant_time_size<false>>;

  static SpawnedTask run(Task<void> task) { co_await std::move(task); }

  promise_type& promise;

 private:
  explicit SpawnedTask(promise_type& promise_) : promise(promise_) {}
};

}  // namespace sentinel::proxy
