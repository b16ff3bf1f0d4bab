// SPDX-License-Identifier: Apache-2.0
// How this host is reached by SSH, and by which connection this process was started.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/facts/collect.h"
#include "core/model/facts.h"
#include "core/system/reader.h"

namespace sentinel {

/// ssh_unit, ssh_socket, ssh_port, ssh_client.
void collect_ssh(Reader& machine, const ProcessView& process, Facts& facts);

/// The unit of the server: "ssh.service" (Debian, Ubuntu), "sshd.service" (others), empty when there is none.
std::string ssh_unit(Reader& machine);
/// ssh.socket is enabled, so it owns the port.
bool ssh_socket_enabled(Reader& machine);

struct SshConnection {
  std::string client;
  std::uint32_t server_port = 0;

  bool operator==(const SshConnection&) const = default;
};

/// SSH_CONNECTION of ssh(1): client address, client port, server address, server port.
std::optional<SshConnection> parse_ssh_connection(const std::string& text);
/// The same out of /proc/<pid>/environ.
std::optional<SshConnection> connection_in_environ(const std::string& environ);
/// The connection of the session this process descends from. sudo strips the variable from us, but not from itself.
std::optional<SshConnection> find_ssh_connection(Reader& machine, const ProcessView& process);

}  // namespace sentinel
