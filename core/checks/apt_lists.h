// SPDX-License-Identifier: Apache-2.0
// What apt's own lists under /var/lib/apt/lists offer from security archives, compared with what is installed. Nothing
// is simulated: that costs a quarter of a second, and this a few milliseconds.
#pragma once

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/resources/look.h"

namespace sentinel {

/// {lists: number of archives that lists were fetched of, archives: [{name, origin, label, suite, codename, fetched_ns,
///  valid_until_ns (0: it doesn't say)}] of those that are for security, pending: [{package, installed, offered,
///  archive}], unread: ["file: why"]}. Lists that apt keeps compressed go through apt's own helper, a process each.
Result<nlohmann::json> security_lists(Look& look);

}  // namespace sentinel
