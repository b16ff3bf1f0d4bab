// SPDX-License-Identifier: Apache-2.0
// The JSON of `check`; docs/formats/check.md describes it.
#pragma once

#include "core/model/audit.h"
#include "core/report/documents.h"

namespace sentinel {

Document audit_document(const AuditReport& report);

}  // namespace sentinel
