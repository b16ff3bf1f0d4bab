// SPDX-License-Identifier: Apache-2.0
// The report of `check` for people: by section, failures first, and at the end what to do next.
#pragma once

#include <string>

#include "core/model/audit.h"
#include "core/report/style.h"

namespace sentinel {

struct AuditTextOptions {
  Style style;
  bool verbose = false;  ///< evidence of what passed, too
};

std::string audit_text(const AuditReport& report, const AuditTextOptions& options);

/// "web-1: 41 pass, 2 fail, 1 unknown, 32 not applicable", one line per host.
std::string audit_summary_text(const AuditReport& report);

}  // namespace sentinel
