// SPDX-License-Identifier: Apache-2.0
// Recognises signed tokens without asking anybody: the signature by a key set (a file or an address, read again now and
// then and when a token names an unknown key), and then issuer, audience and times.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "core/base/clock.h"
#include "proxy/auth/auth_metrics.h"
#include "proxy/auth/coalesced.h"
#include "proxy/auth/identity_cache.h"
#include "proxy/auth/key_set.h"
#include "proxy/net/fetch.h"

namespace sentinel::proxy {

struct JwksOptions {
  std::variant<std::string, BaseUrl> source;  ///< a file's path, or an address
  std::string issuer;
  std::string audience;
  std::chrono::seconds refresh{300};
  std::chrono::seconds ttl{300};    ///< a token that was checked isn't checked again for so long; 0: each time
  std::chrono::seconds leeway{30};  ///< between clocks
};

/// What is wrong with a token whose signature holds; empty: nothing. It isn't told to clients.
std::string_view wrong_claims(const JwtClaims& claims, const JwksOptions& options, JwtClaims::Time now);

class JwksAuthenticator final : public Authenticator {
 public:
  struct Parts {
    Loop& loop;
    ConnectionPool& pool;
    IdentityCache& cache;
    const Clock& clock;
    AuthMetrics& metrics;
  };

  JwksAuthenticator(Parts parts, JwksOptions options) : parts_(parts), options_(std::move(options)) {}

  Task<AuthOutcome> authenticate(std::string_view token) override;

 private:
  /// Reads the key set again; the old one stays when that fails.
  Task<bool> refresh();
  Task<void> ensure_keys();

  Parts parts_;
  JwksOptions options_;
  Coalesced<bool> refreshes_;
  std::optional<KeySet> keys_;
  std::optional<std::chrono::steady_clock::time_point> tried_;
};

}  // namespace sentinel::proxy
