// SPDX-License-Identifier: Apache-2.0
// From what was seen to the report. An audit and its replay both come through here, from the same bundle: that is why
// they say the same.
#pragma once

#include "core/audit/bundle.h"
#include "core/audit/delta.h"
#include "core/model/audit.h"

namespace sentinel {

/// Judges, applies the waivers of the day the audit began, and compares with the last audit of each host. Pure.
AuditReport report_of(const EvidenceBundle& bundle);

/// Puts every audited host beside the same host of an earlier report. What that report doesn't know of was not there
/// before.
void compare_with(AuditReport& report, const EarlierReport& baseline);

}  // namespace sentinel
