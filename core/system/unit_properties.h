// SPDX-License-Identifier: Apache-2.0
// Single properties of systemd units, as `systemctl show` says them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/system/reader.h"

namespace sentinel {

/// Values by name.
using UnitProperties = std::map<std::string, std::string>;

/// Of each unit, in the order of `units`, with one call; `names` as systemctl takes them ("ActiveState,Job"). A unit
/// that isn't there has the values of one that was never started. Error `systemd.unreachable` when systemctl fails,
/// `systemd.malformed` when it doesn't describe each unit.
Result<std::vector<UnitProperties>> units_properties(Reader& machine, const std::vector<std::string>& units,
                                                     const std::string& names);
Result<UnitProperties> unit_properties(Reader& machine, const std::string& unit, const std::string& names);

}  // namespace sentinel
