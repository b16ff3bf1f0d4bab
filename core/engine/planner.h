// SPDX-License-Identifier: Apache-2.0
// Observe everything, plan everything: what `plan` shows, what a transaction compares with before it begins, and what
// proves afterwards that nothing is left to do.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/engine/host_state.h"
#include "core/model/plan.h"
#include "core/model/request.h"

namespace sentinel {

struct PlannedRequest {
  Plan plan;
  std::vector<ContentRef> missing;               ///< contents to be sent before the plan is final
  std::map<std::string, nlohmann::json> states;  ///< by resource id ("secret/<name>" for secrets)
};

/// Read-only apart from contents of secret steps put into the blob store. `secrets` must be built from
/// `request.secrets`.
Result<PlannedRequest> plan_request(const Request& request, HostState& host, SecretView& secrets, Survey& survey);

/// SHA-256 over the canonical list of (id, state): equal digests mean nothing that was looked at has changed.
std::string digest_of(const std::map<std::string, nlohmann::json>& states);

/// One line per step that can't be taken back: "role/x: why".
std::vector<std::string> irreversible_steps(const Plan& plan);

/// Errors of a request that no plan can cure: ids twice or empty, bad secret names. `request.invalid`.
Result<void> check_request(const Request& request);

}  // namespace sentinel
