// SPDX-License-Identifier: Apache-2.0
// The fixed set of facts an agent reports in its hello. Playbooks see them as `facts.<name>`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sentinel {

struct Facts {
  std::string os_id;          ///< "debian", "ubuntu"
  std::string os_version;     ///< "12"
  std::string os_codename;    ///< "bookworm"
  std::string os_name;        ///< "Debian GNU/Linux 12 (bookworm)"
  std::string architecture;   ///< uname -m: "x86_64"
  std::string kernel;         ///< uname -r
  std::string hostname;
  std::string virtualization; ///< of systemd-detect-virt: "none", "kvm", "systemd-nspawn"
  std::uint32_t systemd_version = 0;
  std::uint32_t cpus = 0;
  std::uint64_t memory_mb = 0;
  std::vector<std::string> addresses;  ///< global addresses of all interfaces
  std::string ssh_unit;         ///< the unit to reload: "ssh.service", "sshd.service"
  bool ssh_socket = false;      ///< ssh.socket is enabled or active: it owns the port
  std::uint32_t ssh_port = 0;   ///< port of the server end of this session; 0 when not started by sshd
  std::string ssh_client;       ///< address of the operator; empty when unknown
  bool has_auth_log = false;    ///< /var/log/auth.log exists
  bool can_limit_memory = true; ///< the memory controller is usable
  std::vector<std::string> packages_available;  ///< of the names the stacks ask about: those apt knows a version of

  bool operator==(const Facts&) const = default;
};

}  // namespace sentinel
