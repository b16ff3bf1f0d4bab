// SPDX-License-Identifier: Apache-2.0
// Turns errno into an Error with the symbolic name in its code.
#include "core/base/error.h"

#include <string.h>

#include <fmt/format.h>

namespace sentinel {

Error system_error(int error_number, const std::string& operation, const std::string& subject) {
  const char* name = strerrorname_np(error_number);
  return Error(fmt::format("system.{}", name != nullptr ? name : "unknown"),
               fmt::format("cannot {} {}: {}", operation, subject, strerrordesc_np(error_number)));
}

}  // namespace sentinel
