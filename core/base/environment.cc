// SPDX-License-Identifier: Apache-2.0
#include "core/base/environment.h"

#include <cstdlib>

namespace sentinel {

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nothing of ours calls setenv
  if (value == nullptr) return std::nullopt;
  return value;
}

}  // namespace sentinel
