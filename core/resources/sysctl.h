// SPDX-License-Identifier: Apache-2.0
// Kind `sysctl`: a file of /etc/sysctl.d, which sets parameters at boot, and the values in force now. Lines that win
// over the file at boot are turned into comments. Parameters this kernel doesn't have stay in the file and are
// otherwise passed over, as systemd-sysctl does.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/model/plan.h"
#include "core/resources/look.h"
#include "core/resources/path_state.h"
#include "core/resources/sysctl_lines.h"

namespace sentinel {

struct SysctlState {
  PathState file;
  std::map<std::string, std::string>
      running;                              ///< of the wanted keys, those this kernel has; whitespace as single spaces
  std::vector<SysctlLine> later;            ///< lines elsewhere that win over the file at boot
  std::map<std::string, PathState> others;  ///< the files they are in

  bool operator==(const SysctlState&) const = default;
};

void to_json(nlohmann::json& json, const SysctlState& value);
void from_json(const nlohmann::json& json, SysctlState& value);

Result<SysctlState> observe(const Sysctl& want, Look& look);
/// With `ensure: absent` the file goes and the values, if any are given, are the ones to run with.
Result<Step> plan(const Sysctl& want, const SysctlState& now, Look& look);
std::optional<ResourceBody> restored(const Sysctl& managed, const SysctlState& then);

/// The text of the file.
std::string sysctl_file(const std::map<std::string, std::string>& values);

}  // namespace sentinel
