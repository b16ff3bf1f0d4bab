// SPDX-License-Identifier: Apache-2.0
// May this user make another request now. The seam between the request path and where requests are counted: in process,
// or in Redis.
#pragma once

#include <cstdint>
#include <optional>

#include "proxy/auth/authenticator.h"

namespace sentinel::proxy {

/// The state of a user's request budget, as the X-RateLimit headers tell it.
struct RateVerdict {
  bool allowed = true;
  std::int64_t limit = 0;
  std::int64_t used = 0;      ///< may exceed the limit
  std::int64_t reset_at = 0;  ///< unix seconds
  std::int64_t now = 0;       ///< unix seconds, of the decision

  std::int64_t remaining() const { return used >= limit ? 0 : limit - used; }

  /// For Retry-After.
  std::int64_t retry_after() const { return reset_at - now > 1 ? reset_at - now : 1; }
};

/// One instance per worker, called only on its thread. It never fails: where the shared count can't be reached, the
/// implementation falls back to counting in process.
class RateLimiter {
 public:
  virtual ~RateLimiter() = default;
  /// Counts one request, refused ones too, and decides.
  virtual Task<RateVerdict> admit(const Identity& identity) = 0;
  /// Requests per minute from now on; after a reload.
  virtual void set_limit(std::int64_t limit) = 0;
};

}  // namespace sentinel::proxy
