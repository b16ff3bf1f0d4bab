// SPDX-License-Identifier: Apache-2.0
// One worker's event loop: one thread, an epoll set of its own in which each stream stands once for all its life, the
// worker's deadlines, and the scratch bytes every read of that thread goes through. What is in the scratch is valid
// until the next co_await, because another connection of the same worker reads into it too.
//
// Why not Asio's: docs/decisions/019-own-readiness.md and 020-own-tasks.md.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/base/descriptor.h"
#include "proxy/net/deadline.h"
#include "proxy/net/suspension.h"

namespace sentinel::proxy {

/// Hears what the kernel says of a descriptor, edge-triggered (epoll(7)): it has to remember what it has heard until a
/// read or a write finds nothing more to do.
class EventListener {
 public:
  /// In the loop's own turn; may destroy anything, itself too.
  virtual void happened(std::uint32_t events) = 0;

 protected:
  ~EventListener() = default;
};

class Loop {
 public:
  static constexpr std::size_t kScratch = std::size_t{64} << 10;

  /// `tick`: what deadlines are rounded up to.
  explicit Loop(std::chrono::milliseconds tick = DeadlineWheel::kTick);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until stop(); called by the worker's thread.
  void run();
  /// From any thread.
  void stop();

  DeadlineWheel& deadlines() { return deadlines_; }

  char* scratch() { return scratch_.get(); }

  /// False: the kernel has no room for one more. What is true already is told too.
  bool watch(int descriptor, EventListener& listener);
  /// While the descriptor is still open. Nothing is told afterwards.
  void forget(int descriptor, EventListener& listener);

  /// Starts a task of this worker when the loop comes round; on its thread, or before it runs.
  void spawn(Task<void> task);

  /// Hands work to this worker from another thread, or from its own for later.
  void post(std::function<void()> work);

 private:
  friend class Suspension;
  static constexpr std::size_t kBatch = 128;  ///< events of one look

  void wake();
  void run_posted();
  void resume_ready();
  void hear_events(std::chrono::milliseconds most);

  DeadlineWheel deadlines_;
  std::chrono::milliseconds tick_;
  std::unique_ptr<char[]> scratch_;
  Descriptor epoll_;
  Descriptor alarm_;  ///< an eventfd: other threads wake the loop by it
  std::atomic<bool> stopped_{false};
  std::atomic<bool> posted_{false};
  std::array<epoll_event, kBatch> batch_;
  int batch_size_ = 0;
  std::mutex mutex_;
  std::vector<std::function<void()>> work_;  ///< posted
  Suspensions ready_;
  SpawnedTask::List begun_;
  SpawnedTask::List spawned_;  ///< not begun
};

}  // namespace sentinel::proxy
