// SPDX-License-Identifier: Apache-2.0
// How long to wait, and what ends the waiting early: a deadline together with the descriptor that says "interrupted".
#pragma once

#include <poll.h>

#include <chrono>
#include <vector>

#include "core/base/result.h"

namespace sentinel {

class Patience {
 public:
  enum class Woken { kReady, kTimeout, kInterrupted };

  /// `limit` of kNoLimit (milliseconds::max()) never ends. `interrupt_fd` of -1: can't be interrupted.
  Patience(std::chrono::milliseconds limit, int interrupt_fd);

  /// Polls `watched` (revents are filled in) up to `at_most` or the deadline. kInterrupted wins over kReady. kTimeout
  /// is also the answer when `at_most` ends first: `expired` tells which.
  Woken wait(std::vector<pollfd>& watched, std::chrono::milliseconds at_most = std::chrono::milliseconds::max());
  bool expired() const;
  std::chrono::milliseconds remaining() const;
  /// Time that doesn't count, such as a person's thinking.
  void extend(std::chrono::milliseconds by);

  int interrupt_fd() const { return interrupt_fd_; }

 private:
  using Time = std::chrono::steady_clock::time_point;
  Time deadline_;
  int interrupt_fd_;
};

/// Error with exit code 8.
Error unreachable(std::string code, std::string message, std::string hint = {});
/// `ssh.interrupted`, exit code 130.
Error interrupted();

}  // namespace sentinel
