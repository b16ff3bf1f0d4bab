// SPDX-License-Identifier: Apache-2.0
// Usage where nothing is billed: kept in memory by user and model, and told as totals at the end.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "proxy/usage/usage_sink.h"

namespace sentinel::proxy {

class UsageTotals final : public UsageSink {
 public:
  void track(UsageItem item) override;
  /// By (email, model): tokens and requests summed, the earliest time.
  std::map<std::pair<std::string, std::string>, UsageItem> totals() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, UsageItem> totals_;
};

}  // namespace sentinel::proxy
