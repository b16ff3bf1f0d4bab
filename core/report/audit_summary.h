// SPDX-License-Identifier: Apache-2.0
// What every report of an audit counts and orders alike, and the exit code it ends with.
#pragma once

#include <map>
#include <vector>

#include "core/base/exit_code.h"
#include "core/model/audit.h"

namespace sentinel {

struct AuditThreshold {
  Severity fail_on = Severity::kLow;  ///< failures below it don't count
  bool strict = false;                ///< a warning counts as a failure
};

/// How often each verdict was given; every verdict has an entry.
std::map<Verdict, int> count_verdicts(const HostAudit& host);

/// Failures first, the gravest first; then what could not be judged, warnings, waived, passes, not applicable.
int urgency_of(Verdict verdict);

/// Sections in the order of the checklist, each with its findings by urgency, then severity, then the checklist's
/// order.
std::vector<std::pair<std::string, std::vector<const Finding*>>> by_section(const HostAudit& host);

/// True for a finding that makes `check` end with 4.
bool counts(const Finding& finding, const AuditThreshold& threshold);

/// 4 when any finding counts, otherwise 11 when any control could not be judged, otherwise 0; with a baseline only what
/// became worse since does. When a host could not be
/// audited: its code where no host could be and all agree, 5 otherwise.
ExitCode exit_code_of(const AuditReport& report, const AuditThreshold& threshold);

}  // namespace sentinel
