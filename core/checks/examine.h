// SPDX-License-Identifier: Apache-2.0
// One audit of this host: every probe asked, every resource of the playbook planned. Reads only.
#pragma once

#include "core/model/observation.h"
#include "core/resources/survey.h"

namespace sentinel {

/// `taken_at` is the caller's to fill in. What fails becomes part of the record; it never fails as a whole.
HostRecord examine(const AuditRequest& request, Surroundings surroundings, const Facts& facts);

}  // namespace sentinel
