// SPDX-License-Identifier: Apache-2.0
// Two made-up reports: one with every verdict and everything a finding can carry, and one whose texts try to be more
// than text in every format.
#pragma once

#include "core/model/audit.h"

namespace sentinel {

AuditReport sample_audit();
AuditReport hostile_audit();

}  // namespace sentinel
