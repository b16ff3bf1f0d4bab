// SPDX-License-Identifier: Apache-2.0
// What several judgements ask of systemd's units.
#pragma once

#include <string>
#include <vector>

#include "core/audit/ruling.h"

namespace sentinel {

/// The question about these units; with `probe`, that one too.
std::vector<ProbeOrder> unit_orders(const std::vector<std::string>& names, const char* probe = nullptr);
/// Active now, started at boot, not masked. `units` is the value of the probe "units".
void judge_unit(const std::string& name, const nlohmann::json& units, Ruling& ruling);
/// A timer, and that what it starts is not masked.
void judge_timer(const std::string& name, const nlohmann::json& units, Ruling& ruling);

}  // namespace sentinel
