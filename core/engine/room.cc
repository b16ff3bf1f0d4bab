// SPDX-License-Identifier: Apache-2.0
#include "core/engine/room.h"

namespace sentinel {
namespace {

// More than journal, registry, generation and audit line of one transaction together.
constexpr std::size_t kRoom = 512U << 10;

}  // namespace

bool has_room(HostState& host) {
  const auto path = host.directory.root + "/room";
  // Not zeros, which a file system may store as nothing.
  const bool written = host.machine.replace_file(path, std::string(kRoom, 'x'), {0, 0, 0600}).ok();
  return host.machine.remove_file(path).ok() && written;
}

}  // namespace sentinel
