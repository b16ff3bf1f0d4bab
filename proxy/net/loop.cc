// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace sentinel::proxy {

Loop::Loop(std::chrono::milliseconds tick)
    : deadlines_(tick),
      tick_(tick),
      scratch_(new char[kScratch]),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      alarm_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  epoll_event alarm{};
  alarm.events = EPOLLIN | EPOLLET;
  alarm.data.ptr = this;
  // Without a descriptor left at its start a program has nothing to serve with.
  if (!epoll_.valid() || !alarm_.valid() || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, alarm_.get(), &alarm) != 0)
    std::terminate();
}

Loop::~Loop() {
  for (SpawnedTask::List* list : {&begun_, &spawned_}) {
    while (!list->empty()) list->front().handle().destroy();
  }
}

void Loop::run() {
  using std::chrono::steady_clock;
  auto next_tick = steady_clock::now();
  while (!stopped_.load(std::memory_order_acquire)) {
    const auto now = steady_clock::now();
    if (now >= next_tick) {
      next_tick = now + tick_;
      deadlines_.advance();
    }
    run_posted();
    resume_ready();
    const bool more = posted_.load(std::memory_order_acquire) || !ready_.empty() || !spawned_.empty();
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(next_tick - steady_clock::now());
    hear_events(more ? rest.zero() : std::max(rest, rest.zero()));
  }
}

void Loop::hear_events(std::chrono::milliseconds most) {
  batch_size_ =
      ::epoll_wait(epoll_.get(), batch_.data(), static_cast<int>(batch_.size()), static_cast<int>(most.count()));
  for (int i = 0; i < batch_size_; ++i) {
    const epoll_event event = batch_[static_cast<std::size_t>(i)];
    if (event.data.ptr == this) {
      // In its place among the others: what was posted before a peer spoke is done before the peer is heard.
      run_posted();
    } else if (event.data.ptr != nullptr) {
      static_cast<EventListener*>(event.data.ptr)->happened(event.events);
    }
  }
  batch_size_ = 0;
}

void Loop::run_posted() {
  if (!posted_.exchange(false, std::memory_order_acq_rel)) return;
  std::vector<std::function<void()>> turn;
  {
    const std::lock_guard lock(mutex_);
    turn.swap(work_);
  }
  for (const std::function<void()>& work : turn) work();
}

void Loop::resume_ready() {
  // Only those of now: one that makes itself ready again must not keep the others out.
  Suspensions turn;
  turn.swap(ready_);
  while (!turn.empty()) turn.front().resume();
  SpawnedTask::List fresh;
  fresh.swap(spawned_);
  while (!fresh.empty()) {
    SpawnedTask::promise_type& task = fresh.front();
    fresh.pop_front();
    begun_.push_back(task);
    task.handle().resume();
  }
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
  spawned_.push_back(SpawnedTask::run(std::move(task)).promise);
}

void Loop::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
  }
  wake();
}

void Suspension::resume() {
  unlink();
  if (const std::coroutine_handle<> task = std::exchange(task_, nullptr)) task.resume();
}

void Suspension::resume_soon() {
  if (!task_ || is_linked()) return;
  loop_.ready_.push_back(*this);
}

}  // namespace sentinel::proxy
