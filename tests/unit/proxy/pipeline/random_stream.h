// SPDX-License-Identifier: Apache-2.0
// Streams as upstreams might send them, made from a seed: every line ending, fields and comments, several data lines,
// broken JSON, bytes that are no UTF-8, with or without an end, and cut anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "proxy/json/usage.h"

namespace sentinel::proxy {

struct RandomStream {
  std::string direct;               ///< to a client that asked for no usage
  std::string with_usage;           ///< to one that did
  std::optional<TokenCount> usage;  ///< what it says last; nothing: it says none
  bool complete = true;             ///< it says its end, or its choice does
  bool open_end = false;            ///< its last event lacks its blank line
  std::vector<std::size_t> cuts;    ///< how long the pieces of with_usage are
};

RandomStream random_stream(std::uint64_t seed);

}  // namespace sentinel::proxy
