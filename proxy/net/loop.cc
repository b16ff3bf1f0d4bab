// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <exception>

#include <boost/asio/executor_work_guard.hpp>

namespace sentinel::proxy {

Loop::Loop(std::chrono::milliseconds tick)
    : deadlines_(tick),
      tick_(tick),
      scratch_(new char[kScratch]),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      alarm_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  epoll_event alarm{};
  alarm.events = EPOLLIN | EPOLLET;
  // Without a descriptor left at its start a program has nothing to serve with.
  if (!epoll_.valid() || !alarm_.valid() || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, alarm_.get(), &alarm) != 0)
    std::terminate();
}

Loop::~Loop() {
  for (Suspensions* list : {&waiting_, &ready_}) {
    while (!list->empty()) list->front().abandon();
  }
}

void Loop::run() {
  using std::chrono::steady_clock;
  const auto more_to_come = asio::make_work_guard(context_);
  auto next_tick = steady_clock::now();
  while (!stopped_.load(std::memory_order_acquire)) {
    const auto now = steady_clock::now();
    const bool tick = now >= next_tick;
    if (tick) {
      next_tick = now + tick_;
      deadlines_.advance();
    }
    if (posted_.exchange(false, std::memory_order_acq_rel) || tick) context_.poll();
    resume_ready();
    const bool more = posted_.load(std::memory_order_acquire) || !ready_.empty();
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(next_tick - steady_clock::now());
    hear_events(more ? rest.zero() : std::max(rest, rest.zero()));
  }
}

void Loop::hear_events(std::chrono::milliseconds most) {
  batch_size_ =
      ::epoll_wait(epoll_.get(), batch_.data(), static_cast<int>(batch_.size()), static_cast<int>(most.count()));
  for (int i = 0; i < batch_size_; ++i) {
    const epoll_event event = batch_[static_cast<std::size_t>(i)];
    if (event.data.ptr != nullptr) static_cast<EventListener*>(event.data.ptr)->happened(event.events);
  }
  batch_size_ = 0;
}

void Loop::resume_ready() {
  // Only those of now: one that makes itself ready again must not keep the others out.
  Suspensions turn;
  turn.swap(ready_);
  while (!turn.empty()) turn.front().resume();
}

void Loop::stop() {
  stopped_.store(true, std::memory_order_release);
  wake();
}

void Loop::wake() {
  if (posted_.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  // Full it would be readable all the same.
  [[maybe_unused]] const ssize_t written = ::write(alarm_.get(), &one, sizeof one);
}

bool Loop::watch(int descriptor, EventListener& listener) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &listener;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Loop::forget(int descriptor, EventListener& listener) {
  epoll_event unused{};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, &unused);
  // It may be among those that were heard together and whose turn is still to come.
  for (int i = 0; i < batch_size_; ++i) {
    epoll_event& event = batch_[static_cast<std::size_t>(i)];
    if (event.data.ptr == &listener) event.data.ptr = nullptr;
  }
}

void Loop::spawn(Task<void> task) {
  asio::co_spawn(context_, std::move(task), [](const std::exception_ptr& failure) {
    if (failure != nullptr) std::terminate();
  });
  posted_.store(true, std::memory_order_release);
}

Task<void> Suspension::wait() {
  return asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
      [this](Waiting task) {
        task_.emplace(std::move(task));
        loop_.waiting_.push_back(*this);
      },
      kUseAwaitable);
}

void Suspension::resume() {
  if (!task_) return;
  Waiting task = std::move(*task_);
  task_.reset();
  unlink();
  std::move(task)();
}

void Suspension::resume_soon() {
  if (!task_) return;
  unlink();
  loop_.ready_.push_back(*this);
}

void Suspension::abandon() {
  unlink();
  // The task may own this suspension: nothing of it is touched after.
  std::optional<Waiting> task = std::exchange(task_, std::nullopt);
}

}  // namespace sentinel::proxy
