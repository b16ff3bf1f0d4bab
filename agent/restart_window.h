// SPDX-License-Identifier: Apache-2.0
// How often something was started again within the last hour, by a counter that only ever says how often it was at all.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace sentinel::agent {

class RestartWindow {
 public:
  static constexpr std::chrono::hours kSpan{1};

  /// Anew: what the counter says now is `counter`, and none of that counts.
  void begin(std::chrono::nanoseconds now, std::uint32_t counter);
  /// The restarts within the last hour, when the counter says `counter` now. One that says less than before was itself
  /// begun anew: all it says is of since then.
  std::uint32_t look(std::chrono::nanoseconds now, std::uint32_t counter);

 private:
  struct Seen {
    std::chrono::nanoseconds at;
    std::uint32_t counter;
  };

  /// Each value since it was first seen; the first is what the counter said an hour ago, or at the beginning.
  std::deque<Seen> seen_;
};

}  // namespace sentinel::agent
