// SPDX-License-Identifier: Apache-2.0
// When two requests are the same: the endpoint, and every member of the body but the few that can't shape what an
// answer says. Members count as they are written, so a difference that would not matter makes a miss, never a wrong
// hit.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sentinel::proxy {

using CacheKey = std::string;  ///< a SHA-256

struct CacheQuestion {
  std::string_view user;  ///< empty: answers are shared by all users
  std::string_view endpoint;
  std::string_view body;
  /// Answers name state that the upstream keeps unless it is told not to, and repeat who asked.
  bool names_state = false;
};

/// Nothing when the body isn't a JSON object, names a member twice, or asks for an answer that names state or is made
/// of more than the body.
std::optional<CacheKey> cache_key(const CacheQuestion& question);

}  // namespace sentinel::proxy
