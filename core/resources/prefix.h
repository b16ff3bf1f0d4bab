// SPDX-License-Identifier: Apache-2.0
// IP addresses and prefixes as values, so that "192.0.2.7/24", "192.0.2.0/24" and "2001:DB8::/32" compare as they
// should.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace sentinel {

struct Prefix {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  ///< network order; the first four for IPv4; bits after the length are zero
  int length = 0;

  /// "192.0.2.7", "192.0.2.0/24", "2001:db8::/32"; host bits are cleared. Nothing for anything else, names included.
  static std::optional<Prefix> parse(const std::string& text);
  /// The shortest usual form; without "/32" or "/128".
  std::string to_string() const;

  bool is_everything() const { return length == 0; }

  bool overlaps(const Prefix& other) const;

  bool operator==(const Prefix&) const = default;
};

}  // namespace sentinel
