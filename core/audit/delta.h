// SPDX-License-Identifier: Apache-2.0
// An audit beside an earlier one: what became worse, what was repaired, and what is kept for the next time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/model/audit.h"

namespace sentinel {

/// Worse is a fail, warn or unknown that was not there before: the verdict was a better one, or the control was not
/// asked. Better is a pass (or a row that no longer applies) that was none, and a fail that is a warning now. A finding
/// that was waived since is neither: it was accepted, not repaired.
AuditDelta compared(const HostAudit& audit, const PastAudit& earlier);

PastAudit to_past_audit(const HostAudit& audit, const std::string& profile);

/// A JSON report of an earlier run, as far as later runs need it.
struct EarlierReport {
  struct Host {
    PastAudit audit;
    /// Control that failed or warned -> the steps that repair it; none: a person has to.
    std::map<std::string, std::vector<std::string>> repairs;
  };

  std::string profile;
  std::map<std::string, Host> hosts;  ///< those that were audited
};

/// `name` is the file's, for messages. Error `check.no-report` (usage) for anything that isn't a JSON report of this
/// version.
Result<EarlierReport> read_report(const std::string& text, const std::string& name);

}  // namespace sentinel
