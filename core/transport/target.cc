// SPDX-License-Identifier: Apache-2.0
#include "core/transport/target.h"

#include <fmt/format.h>

namespace sentinel {

std::string display(const SshTarget& target) {
  const std::string place = target.port == 22 ? target.address : fmt::format("{} port {}", target.address, target.port);
  return target.user.empty() ? place : fmt::format("{}@{}", target.user, place);
}

}  // namespace sentinel
