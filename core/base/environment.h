// SPDX-License-Identifier: Apache-2.0
// The process's surroundings: the one place that reads environment variables.
#pragma once

#include <optional>
#include <string>

namespace sentinel {

/// The variable's value; nothing when it is not set. Not to be called while another thread changes the environment (we never do).
std::optional<std::string> environment_variable(const std::string& name);

}  // namespace sentinel
