// SPDX-License-Identifier: Apache-2.0
// Kind `package`: distribution packages that are installed, or not. Versions are apt's business.
#pragma once

#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "core/model/plan.h"
#include "core/resources/look.h"

namespace sentinel {

struct PackagesState {
  std::map<std::string, std::string> packages;  ///< name -> installed, absent, broken (a run of dpkg was cut short)

  bool operator==(const PackagesState&) const = default;
};

void to_json(nlohmann::json& json, const PackagesState& value);
void from_json(const nlohmann::json& json, PackagesState& value);

Result<PackagesState> observe(const Package& want, Look& look);
Result<Step> plan(const Package& want, const PackagesState& now, Look& look);
/// The names that were the other way round then; all of them when none were.
std::optional<ResourceBody> restored(const Package& managed, const PackagesState& then);

}  // namespace sentinel
