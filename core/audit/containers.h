// SPDX-License-Identifier: Apache-2.0
// Rules over the containers of an application, each called an aspect: healthy, loopback-ports, limits, memory-limit,
// bounded-logs, health-check, restarted, no-new-privileges, capabilities, read-only-root, private-tmp.
#pragma once

#include <string>
#include <vector>

#include "core/audit/ruling.h"

namespace sentinel {

/// Which containers; empty: all of the host.
struct ContainerChoice {
  std::string project;  ///< of Compose, or the application whose release they are
  std::string service;
  int least = 1;  ///< fewer are a fault
};

/// Judges the answer of docker.containers. Returns how many there are. Errors: no answer; an aspect nobody knows.
Result<int> judge_containers(const Case& subject, const std::vector<std::string>& aspects,
                             const ContainerChoice& choice, Ruling& ruling);

/// A mask of capabilities as proc(5) writes it: none but CAP_NET_BIND_SERVICE may be in it.
void judge_capabilities(const std::string& who, const std::string& mask, Ruling& ruling);

}  // namespace sentinel
