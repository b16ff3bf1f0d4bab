// SPDX-License-Identifier: Apache-2.0
// Base addresses of the services the proxy calls: "https://api.openai.com/v1".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sentinel::proxy {

/// Where a connection goes. Connections are pooled by its text().
struct Origin {
  bool tls = false;
  std::string host;  ///< name or address, without brackets; of Redis also the path of a unix socket
  std::uint16_t port = 80;

  /// "https://host:port"
  std::string text() const;
  /// The Host field: the port only when it isn't the scheme's own.
  std::string host_field() const;
  bool operator==(const Origin&) const = default;
};

struct BaseUrl {
  Origin origin;
  std::string path;  ///< without a trailing slash; may be empty
};

/// http and https, a host, an optional port and path; no user, query or fragment. Error `proxy.url`.
Result<BaseUrl> parse_base_url(std::string_view text);

}  // namespace sentinel::proxy
