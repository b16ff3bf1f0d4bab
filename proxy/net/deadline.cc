// SPDX-License-Identifier: Apache-2.0
// A slot is a doubly linked list; an entry whose round hasn't come stays in it.
#include "proxy/net/deadline.h"

namespace sentinel::proxy {

DeadlineWheel::DeadlineWheel(std::chrono::milliseconds tick, Now now) : length_(tick), now_(now), start_(now()) {}

void DeadlineWheel::advance() {
  const auto target = static_cast<std::uint64_t>((now_() - start_) / length_);
  while (tick_ < target) {
    ++tick_;
    // What is due is moved to a list of its own first: a callback may re-arm into this very slot.
    Deadline* due = nullptr;
    for (Deadline* entry = slots_[tick_ % kSlots]; entry != nullptr;) {
      Deadline* const next = entry->next_;
      if (entry->due_ <= tick_) {
        entry->disarm();
        entry->next_ = due;
        entry->previous_ = &due;
        if (due != nullptr) due->previous_ = &entry->next_;
        due = entry;
      }
      entry = next;
    }
    while (due != nullptr) {
      Deadline& entry = *due;
      entry.disarm();
      entry.fire_(entry.owner_);
    }
  }
}

void Deadline::arm(std::chrono::milliseconds after) {
  disarm();
  const auto elapsed = wheel_.now_() - wheel_.start_ + after;
  // Rounded up: never early.
  due_ = static_cast<std::uint64_t>((elapsed + wheel_.length_ - std::chrono::nanoseconds(1)) / wheel_.length_);
  if (due_ <= wheel_.tick_) due_ = wheel_.tick_ + 1;
  Deadline*& slot = wheel_.slots_[due_ % DeadlineWheel::kSlots];
  next_ = slot;
  if (next_ != nullptr) next_->previous_ = &next_;
  previous_ = &slot;
  slot = this;
}

void Deadline::disarm() {
  if (previous_ == nullptr) return;
  *previous_ = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  next_ = nullptr;
  previous_ = nullptr;
}

}  // namespace sentinel::proxy
