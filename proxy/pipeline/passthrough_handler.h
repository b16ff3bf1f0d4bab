// SPDX-License-Identifier: Apache-2.0
// What no handler knows but the operator allows: method, path, query, body and its type go upstream as they are;
// status, fields and body come back as they are. Counted as a request without tokens, whatever the upstream says.
#pragma once

#include "proxy/pipeline/routes.h"

namespace sentinel::proxy {

class PassthroughHandler final : public Handler {
 public:
  Task<void> handle(RequestContext& context) override;
};

}  // namespace sentinel::proxy
