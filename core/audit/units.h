// SPDX-License-Identifier: Apache-2.0
// What several judgements ask of systemd's units.
#pragma once

#include <string>
#include <vector>

#include "core/audit/ruling.h"

namespace sentinel {

std::vector<ProbeOrder> unit_orders(const std::vector<std::string>& names);
/// Active now, started at boot, not masked. `units` is the value of the probe "units".
void judge_unit(const std::string& name, const nlohmann::json& units, Ruling& ruling);

}  // namespace sentinel
