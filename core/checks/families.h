// SPDX-License-Identifier: Apache-2.0
// The probes by what they look at; each function is in the file of its name.
#pragma once

#include "core/checks/probe.h"

namespace sentinel {

using HostProbes = std::map<std::string, HostProbe>;

HostProbes app_probes();
HostProbes apt_probes();
HostProbes caddy_probes();
HostProbes certificate_probes();
HostProbes docker_probes();
HostProbes fail2ban_probes();
HostProbes firewall_probes();
HostProbes grafana_probes();
HostProbes host_probes();
HostProbes kubernetes_probes();
HostProbes log_aggregation_probes();
HostProbes monitoring_probes();
HostProbes mtls_probes();
HostProbes program_probes();
HostProbes redis_probes();
HostProbes sshd_probes();
HostProbes sysctl_probes();
HostProbes unit_probes();

}  // namespace sentinel
