// SPDX-License-Identifier: Apache-2.0
// The order in which many hosts get a release: a few first, then the others in waves. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sentinel {

struct WaveChoices {
  unsigned canary = 0;  ///< hosts of the first wave; 0: none goes ahead
  unsigned wave = 0;    ///< hosts of each further one; 0: all that are left
  /// Hosts that may fail; one more, and the run stops. Without it none may, and hosts that weren't reached don't count.
  std::optional<unsigned> max_failures;
  bool roll_back = true;  ///< when the run stops, hosts that have the release go back
};

/// `count` hosts as ranges [begin, end) of their places.
struct Wave {
  std::size_t begin = 0;
  std::size_t end = 0;

  bool operator==(const Wave&) const = default;
};

std::vector<Wave> waves_of(std::size_t count, const WaveChoices& choices);

/// "web-1 first, then 2 at a time"; empty: all at once.
std::string describe_waves(const std::vector<std::string>& hosts, const WaveChoices& choices);

}  // namespace sentinel
