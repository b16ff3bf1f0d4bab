// SPDX-License-Identifier: Apache-2.0
// Kind `service`: whether a systemd unit starts at boot, runs now, is masked, and runs with what its files say today.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "core/model/plan.h"
#include "core/resources/look.h"

namespace sentinel {

/// How the running unit lags behind its files. Paid by effects and nothing a revert could bring back, so it is no part
/// of what a unit is brought back to.
struct Staleness {
  std::string changed_path;  ///< a file it reads that changed after it last (re)loaded; empty: none
  bool unit_file = false;    ///< its unit file changed after systemd read it

  bool operator==(const Staleness&) const = default;
};

struct ServiceState {
  bool found = false;
  bool masked = false;
  std::string enabled;  ///< systemd's UnitFileState: enabled, disabled, static …; empty when the unit isn't there
  bool active = false;
  Staleness stale;

  bool operator==(const ServiceState&) const = default;
};

void to_json(nlohmann::json& json, const ServiceState& value);
void from_json(const nlohmann::json& json, ServiceState& value);

Result<ServiceState> observe(const Service& want, Look& look);
Result<Step> plan(const Service& want, const ServiceState& now, Look& look);
std::optional<ResourceBody> restored(const Service& managed, const ServiceState& then);

}  // namespace sentinel
