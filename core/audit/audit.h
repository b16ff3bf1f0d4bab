// SPDX-License-Identifier: Apache-2.0
// Controls and a host's record in, findings out. Pure: the same bytes in give the same bytes out.
#pragma once

#include <vector>

#include "core/model/audit.h"
#include "core/model/observation.h"

namespace sentinel {

/// What has to be asked to judge these controls; each probe once, with all that the controls want to know of it.
/// Controls that are excluded, or whose judgement nobody knows, ask nothing.
std::vector<ProbeOrder> orders_for(const std::vector<Control>& controls);

Finding judge(const Control& control, const HostRecord& record);

/// In the order of the controls.
HostAudit judge_all(const std::vector<Control>& controls, const HostRecord& record);

}  // namespace sentinel
