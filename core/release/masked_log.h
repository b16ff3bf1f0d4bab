// SPDX-License-Identifier: Apache-2.0
// What an application logged, for people elsewhere: values of the host's secrets are replaced by their names.
#pragma once

#include <string>
#include <vector>

#include "core/engine/host_state.h"

namespace sentinel {

/// Nothing at all when it isn't known which secrets there are.
std::vector<std::string> masked(std::vector<std::string> lines, HostState& host);

}  // namespace sentinel
