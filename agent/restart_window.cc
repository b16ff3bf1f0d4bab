// SPDX-License-Identifier: Apache-2.0
#include "agent/restart_window.h"

namespace sentinel::agent {

void RestartWindow::begin(std::chrono::nanoseconds now, std::uint32_t counter) {
  seen_ = {{now, counter}};
}

std::uint32_t RestartWindow::look(std::chrono::nanoseconds now, std::uint32_t counter) {
  if (seen_.empty()) begin(now, counter);
  if (counter < seen_.back().counter) begin(now, 0);
  if (counter != seen_.back().counter) seen_.push_back({now, counter});
  while (seen_.size() > 1 && now - seen_[1].at >= kSpan) seen_.pop_front();
  return counter - seen_.front().counter;
}

}  // namespace sentinel::agent
