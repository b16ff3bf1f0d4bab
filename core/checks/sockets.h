// SPDX-License-Identifier: Apache-2.0
// Sockets that wait, from /proc/net (proc(5)), with the process that holds each. No process is started but for one
// question that /proc doesn't answer: whether a socket on :: serves IPv4 too.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/model/exposure.h"
#include "core/resources/look.h"

namespace sentinel {

struct SocketEntry {
  std::string address;  ///< numeric
  std::uint16_t port = 0;
  std::uint64_t inode = 0;

  bool operator==(const SocketEntry&) const = default;
};

/// The waiting sockets of /proc/net/tcp, tcp6 (state LISTEN), udp or udp6 (unconnected). Error `network.malformed`.
Result<std::vector<SocketEntry>> parse_socket_table(std::string_view text, bool udp);

/// Ports of TCP and UDP sockets on :: that serve IPv4 as well, from `ss -H -l -n -t -u`: it writes those "*:80".
struct DualStackPorts {
  std::vector<std::uint16_t> tcp;
  std::vector<std::uint16_t> udp;
};

DualStackPorts parse_dual_stack(std::string_view ss_output);

/// All of this network namespace, read once per Look.
Result<const std::vector<ListeningSocket>*> listening_sockets(Look& look);

}  // namespace sentinel
