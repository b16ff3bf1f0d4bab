// SPDX-License-Identifier: Apache-2.0
// Where used tokens are reported to: the seam between the request path and billing.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "proxy/auth/authenticator.h"

namespace sentinel::proxy {

struct UsageItem {
  std::string email;
  std::string model;  ///< as the client asked for it; empty where there is none
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t requests = 1;
  std::chrono::system_clock::time_point time;
  bool estimated = false;  ///< the upstream didn't say; counted from text
};

/// Shared by all workers; any thread.
class UsageSink {
 public:
  virtual ~UsageSink() = default;
  /// Never blocks and never fails: an item that was taken is reported, now or later, or kept where a person finds it.
  virtual void track(UsageItem item) = 0;
};

}  // namespace sentinel::proxy
