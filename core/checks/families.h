// SPDX-License-Identifier: Apache-2.0
// The probes by what they look at; each function is in the file of its name.
#pragma once

#include "core/checks/probe.h"

namespace sentinel {

using HostProbes = std::map<std::string, HostProbe>;

HostProbes apt_probes();
HostProbes firewall_probes();
HostProbes host_probes();
HostProbes sshd_probes();
HostProbes sysctl_probes();
HostProbes unit_probes();

}  // namespace sentinel
