// SPDX-License-Identifier: Apache-2.0
// What a client is told when an upstream refuses. With the real status clients can back off and repair what they sent;
// but a refusal of the proxy's own credential is never the client's, and bodies that may name the account stay here.
#pragma once

#include <string>
#include <string_view>

#include "proxy/upstreams/upstream_set.h"

namespace sentinel::proxy {

/// The most of a refusal's body that is looked at.
inline constexpr std::size_t kMostErrorBody = std::size_t{64} << 10;

struct UpstreamError {
  int status = 502;
  std::string body;
  std::string fields;   ///< Retry-After, where the upstream gave one
  std::string message;  ///< "OpenAI error 429 Too Many Requests"
};

/// `real_status`: the setting passthrough_errors; otherwise everything is a 502.
UpstreamError upstream_error(const ResponseHead& head, std::string_view body, const UpstreamTarget& target,
                             bool real_status);

}  // namespace sentinel::proxy
