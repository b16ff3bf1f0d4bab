// SPDX-License-Identifier: Apache-2.0
// Keys in a file, as digests: one per line, "<sha256 of the key in hex> <id> [email]"; '#' begins a comment. The
// embedded default where there is no account service.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "proxy/auth/authenticator.h"

namespace sentinel::proxy {

/// What the file says. Immutable; workers share one, and a reload replaces it.
struct StaticKeys {
  struct Key {
    std::string digest;  ///< 64 lower-case hexadecimal digits
    Identity identity;
  };

  std::vector<Key> keys;
};

/// No path: no keys. Errors `proxy.keys` with the place (usage), and those of reading the file.
Result<StaticKeys> load_static_keys(const std::string& path);
Result<StaticKeys> parse_static_keys(std::string_view text, const std::string& shown_path);

class StaticKeyAuthenticator final : public Authenticator {
 public:
  explicit StaticKeyAuthenticator(std::shared_ptr<const StaticKeys> keys) : keys_(std::move(keys)) {}

  /// After a reload.
  void replace_keys(std::shared_ptr<const StaticKeys> keys) { keys_ = std::move(keys); }

  Task<AuthOutcome> authenticate(std::string_view token) override;

 private:
  std::shared_ptr<const StaticKeys> keys_;
};

}  // namespace sentinel::proxy
