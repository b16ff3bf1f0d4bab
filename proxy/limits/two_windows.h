// SPDX-License-Identifier: Apache-2.0
// The two-window approximation of a sliding window, with the original's arithmetic in doubles: integers would decide
// 171 of the possible pairs otherwise.
#pragma once

#include <cstdint>

#include "proxy/limits/rate_limiter.h"

namespace sentinel::proxy {

inline constexpr std::int64_t kWindowSeconds = 60;

/// The window that holds `now`.
constexpr std::int64_t window_of(std::int64_t now) {
  return now / kWindowSeconds;
}

/// `previous` and `current` are the counts of the window before and of this one, this request included.
RateVerdict decide_two_windows(std::int64_t previous, std::int64_t current, std::int64_t now, std::int64_t limit);

}  // namespace sentinel::proxy
