// SPDX-License-Identifier: Apache-2.0
// Which of the metrics' slots the present thread counts in: each worker has its own, so that counting is never
// contended.
#pragma once

#include <cstddef>

namespace sentinel::proxy {

inline constexpr std::size_t kMostSlots = 64;  ///< workers beyond share slots; sums stay right

/// 0 until set; threads that aren't workers share slot 0.
std::size_t worker_slot();
void set_worker_slot(std::size_t slot);

}  // namespace sentinel::proxy
