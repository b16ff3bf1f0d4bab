// SPDX-License-Identifier: Apache-2.0
#include "proxy/upstreams/breaker.h"

#include <algorithm>

namespace sentinel::proxy {

bool Breaker::admit(Time now) {
  const std::lock_guard lock(mutex_);
  if (now < rest_until_) return false;
  if (state_ == State::kClosed) return true;
  if (state_ == State::kTrial || now < open_until_) return false;
  state_ = State::kTrial;
  return true;
}

void Breaker::succeeded() {
  const std::lock_guard lock(mutex_);
  failures_ = 0;
  state_ = State::kClosed;
}

void Breaker::failed(Time now) {
  const std::lock_guard lock(mutex_);
  ++failures_;
  // Late failures of attempts from before it opened don't prolong anything.
  const bool opens = state_ == State::kTrial || (state_ == State::kClosed && failures_ >= rules_.failures);
  if (!opens) return;
  state_ = State::kOpen;
  open_until_ = now + rules_.open;
}

void Breaker::abandoned() {
  const std::lock_guard lock(mutex_);
  // The trial's place is free for the next.
  if (state_ == State::kTrial) state_ = State::kOpen;
}

void Breaker::rest(Time until) {
  const std::lock_guard lock(mutex_);
  rest_until_ = std::max(rest_until_, until);
}

std::optional<std::chrono::milliseconds> Breaker::closed_for(Time now) const {
  const std::lock_guard lock(mutex_);
  Time until = rest_until_;
  if (state_ != State::kClosed) until = std::max(until, open_until_);
  if (until <= now) return std::nullopt;
  return std::chrono::ceil<std::chrono::milliseconds>(until - now);
}

Breaker::State Breaker::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace sentinel::proxy
