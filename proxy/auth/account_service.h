// SPDX-License-Identifier: Apache-2.0
// Zion, the account service: how it is called. What the calls mean stands where they are made.
#pragma once

#include "core/base/secret.h"
#include "proxy/net/fetch.h"

namespace sentinel::proxy {

/// Immutable; shared by all workers.
struct AccountService {
  BaseUrl url;
  Secret key;  ///< of the proxy itself
  std::chrono::milliseconds timeout{10'000};

  /// In the user's name: the token is all the service sees of who asks.
  FetchRequest as_user(std::string_view method, std::string_view path, std::string_view token) const;
  /// In the proxy's own name.
  FetchRequest as_proxy(std::string_view method, std::string_view path, std::string body) const;
};

/// Everything but unreserved characters as %XX, for one segment of a path.
std::string percent_encoded(std::string_view text);

}  // namespace sentinel::proxy
