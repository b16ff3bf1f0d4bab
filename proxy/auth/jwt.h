// SPDX-License-Identifier: Apache-2.0
// JSON Web Tokens in compact form (RFC 7515, 7519), taken apart. Nothing here believes anything: signatures are checked
// by KeySet, claims by whoever asked.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sentinel::proxy {

struct JwtClaims {
  using Time = std::chrono::system_clock::time_point;

  std::optional<std::string> issuer;
  std::optional<std::string> subject;
  std::vector<std::string> audience;
  std::optional<Time> expires;
  std::optional<Time> not_before;
  std::optional<std::string> email;
  std::optional<std::string> external_id;  ///< `externalId`
};

struct Jwt {
  std::string algorithm;
  std::optional<std::string> key_id;
  JwtClaims claims;
  std::string signature;
  std::string_view signed_part;  ///< of the token
};

/// Nothing: not a JWT, or one with header members that must be understood (`crit`) and aren't.
std::optional<Jwt> parse_jwt(std::string_view token);
/// base64url without padding (RFC 4648 5); strict.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace sentinel::proxy
