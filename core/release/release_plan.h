// SPDX-License-Identifier: Apache-2.0
// What a release order would change on this host, for people to read and to compare with later: read-only.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/engine/planner.h"
#include "core/release/registry.h"
#include "core/release/store.h"

namespace sentinel {

/// Bytes of a content by digest, sent or stored; nothing when the host lacks them.
using ContentLookup = std::function<std::optional<std::string>(const std::string& digest)>;

/// The order with everything the host knows filled in: which release a rollback goes to. Error `release.…` (exit 2) for
/// an order that no plan can cure.
Result<ReleaseOrder> complete_order(const ReleaseOrder& order, const AppReleases& app);

/// Steps (none: that very release is in force), contents to be sent first, and the states that decide whether a plan is
/// stale. `request.release` must be complete.
Result<PlannedRequest> plan_release(const Request& request, HostState& host, SecretView& secrets,
                                    const ContentLookup& contents);

}  // namespace sentinel
