// SPDX-License-Identifier: Apache-2.0
// What follows from how a host is virtualized (Facts::virtualization).
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace sentinel {

/// Whether it shares its kernel with the machine it runs on.
inline bool is_container(std::string_view virtualization) {
  constexpr std::array<std::string_view, 6> kNames{"systemd-nspawn", "lxc",    "lxc-libvirt",
                                                   "openvz",         "docker", "podman"};
  return std::find(kNames.begin(), kNames.end(), virtualization) != kNames.end();
}

}  // namespace sentinel
