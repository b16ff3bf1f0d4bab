// SPDX-License-Identifier: Apache-2.0
// How one try to move bytes ended.
#pragma once

#include <cstddef>

namespace sentinel::proxy {

enum class IoStatus {
  kDone,    ///< some bytes moved
  kAgain,   ///< nothing now: wait
  kEnd,     ///< the peer has ended its side in order
  kFailed,  ///< reset, or any other error
};

struct IoResult {
  IoStatus status;
  std::size_t bytes = 0;
};

}  // namespace sentinel::proxy
