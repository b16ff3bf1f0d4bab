// SPDX-License-Identifier: Apache-2.0
// Single properties of one systemd unit, as `systemctl show` says them.
#pragma once

#include <map>
#include <string>

#include "core/base/result.h"
#include "core/system/reader.h"

namespace sentinel {

/// Values by name; `names` as systemctl takes them ("ActiveState,Job"). A unit that isn't there has the values of one
/// that was never started. Error `systemd.unreachable` when systemctl fails.
Result<std::map<std::string, std::string>> unit_properties(Reader& machine, const std::string& unit,
                                                           const std::string& names);

}  // namespace sentinel
