// SPDX-License-Identifier: Apache-2.0
// What this host remembers, as JSON records: for `status` and `history`, asked over the wire or typed on the host.
#pragma once

#include <nlohmann/json.hpp>

#include "core/engine/host_state.h"

namespace sentinel::agent {

/// {generation, audit_head, running: null | {transaction, operator, purpose, since}, interrupted: [ids],
///  last_transaction: null | audit entry, releases: {app: id in force}}
Result<nlohmann::json> status_view(HostState& host);

/// [AppReleases]
Result<nlohmann::json> all_releases_view(HostState& host);

/// An AppReleases.
Result<nlohmann::json> releases_view(HostState& host, const std::string& app);

/// [{audit entry…, restorable}], newest first.
Result<nlohmann::json> history_view(HostState& host);

/// {contains}: whether the audit log still holds the line with digest `head`, that is, was only appended to since.
Result<nlohmann::json> audit_view(HostState& host, const std::string& head);

/// The transaction that holds the lease, else the last one that was begun; empty: none ever was.
Result<std::string> latest_transaction(HostState& host);

}  // namespace sentinel::agent
