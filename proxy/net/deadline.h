// SPDX-License-Identifier: Apache-2.0
// Deadlines by the ten thousand: a hashed wheel with one tick for a whole worker instead of a kernel timer per wait.
// Arming and disarming cost a few pointer writes. A deadline fires at most one tick (10 ms) late, never early.
// Single-threaded, like everything of a worker.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sentinel::proxy {

class Deadline;

class DeadlineWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{10};
  using Time = std::chrono::steady_clock::time_point;

  using Now = Time (*)();

  explicit DeadlineWheel(std::chrono::milliseconds tick = kTick, Now now = &std::chrono::steady_clock::now);
  /// Fires what is due. A callback may arm, disarm and destroy deadlines, also other ones.
  void advance();

 private:
  friend class Deadline;
  static constexpr std::size_t kSlots = 1024;

  std::chrono::milliseconds length_;  ///< of a tick
  Now now_;
  Time start_;
  std::uint64_t tick_ = 0;
  std::array<Deadline*, kSlots> slots_{};
};

/// One waiting moment, reusable. Calls `fire(owner)` on the worker's thread once when its time has come.
class Deadline {
 public:
  using Fire = void (*)(void* owner);

  Deadline(DeadlineWheel& wheel, Fire fire, void* owner) : wheel_(wheel), fire_(fire), owner_(owner) {}

  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  ~Deadline() { disarm(); }

  /// Counted from now; replaces an earlier arming.
  void arm(std::chrono::milliseconds after);
  void disarm();

  bool armed() const { return previous_ != nullptr; }

 private:
  friend class DeadlineWheel;

  DeadlineWheel& wheel_;
  Fire fire_;
  void* owner_;
  std::uint64_t due_ = 0;
  Deadline* next_ = nullptr;
  Deadline** previous_ = nullptr;  ///< the pointer that points here; null: not armed
};

}  // namespace sentinel::proxy
