// SPDX-License-Identifier: Apache-2.0
#include "proxy/limits/two_windows.h"

namespace sentinel::proxy {

RateVerdict decide_two_windows(std::int64_t previous, std::int64_t current, std::int64_t now, std::int64_t limit) {
  const std::int64_t window = window_of(now);
  const double elapsed = static_cast<double>(now - kWindowSeconds * window);
  const double weight = 1.0 - elapsed / 60.0;
  RateVerdict verdict;
  verdict.limit = limit;
  verdict.used = current + static_cast<std::int64_t>(static_cast<double>(previous) * weight);
  verdict.allowed = verdict.used <= limit;
  verdict.reset_at = kWindowSeconds * (window + 1);
  verdict.now = now;
  return verdict;
}

}  // namespace sentinel::proxy
