// SPDX-License-Identifier: Apache-2.0
// Values of secrets for the hosts of one run: each source is read once, however many hosts need it.
#pragma once

#include <mutex>
#include <set>

#include "core/config/diagnostics.h"
#include "core/config/project.h"
#include "core/model/request.h"

namespace sentinel {

/// Thread safe.
class SecretVault {
 public:
  explicit SecretVault(const Project& project) : project_(project) {}

  /// Values of those `specs` that aren't generated on the host. What can't be had is added to `diagnostics`.
  SecretValues values_for(const std::vector<SecretSpec>& specs, Diagnostics& diagnostics);

 private:
  const Project& project_;
  std::mutex mutex_;
  std::set<std::string> tried_;
  SecretValues values_;
  Diagnostics found_;
};

}  // namespace sentinel
