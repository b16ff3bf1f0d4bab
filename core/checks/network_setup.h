// SPDX-License-Identifier: Apache-2.0
// What decides over a host's reachability, read from the host: addresses and routes from /proc/net, switches from
// /proc/sys, rules of both back ends, sockets.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/checks/exposure.h"
#include "core/resources/look.h"

namespace sentinel {

/// @name Readings, formats as in proc(5)
/// Errors `network.malformed`.
/// @{
/// Adds the IPv4 addresses of fib_trie ("/32 host LOCAL") to the interfaces whose networks in `route` hold them; an
/// address in no network belongs to the interface of the default route.
Result<void> add_v4_addresses(std::string_view fib_trie, std::string_view route,
                              std::vector<NetworkInterface>& interfaces);
Result<void> add_v6_addresses(std::string_view if_inet6, std::vector<NetworkInterface>& interfaces);
/// Interfaces of default routes.
std::vector<std::string> default_interfaces(std::string_view route, std::string_view ipv6_route);

/// @}

/// Rules of every back end of a family, read once per Look. Legacy tables are asked for only where the kernel has some:
/// asking would load their modules. Error `netfilter.unreadable`.
struct SavedRules {
  std::vector<SavedTables> v4;
  std::vector<SavedTables> v6;
};

Result<const SavedRules*> saved_rules(Look& look);

Result<NetworkSetup> read_network_setup(Look& look);

}  // namespace sentinel
