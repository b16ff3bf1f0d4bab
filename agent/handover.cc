// SPDX-License-Identifier: Apache-2.0
// Codec.
#include "agent/handover.h"

#include "core/model/json_fields.h"

namespace sentinel::agent {

SENTINEL_JSON_FIELDS(Handover, begin, operator_address, ports_in_use)

}  // namespace sentinel::agent
