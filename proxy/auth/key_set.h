// SPDX-License-Identifier: Apache-2.0
// The public keys of whoever signs tokens (RFC 7517), and the check of a signature. RS256 and ES256 only; a key is good
// for its own algorithm alone, whatever a token's header says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "proxy/auth/jwt.h"

struct evp_pkey_st;

namespace sentinel::proxy {

class KeySet {
 public:
  /// Keys of other kinds, for other uses or too weak (RSA under 2048 bits) are passed over. Error `proxy.jwks`: not a
  /// key set, or no key is left.
  static Result<KeySet> parse(const std::string& text);

  /// Whether a key could have signed this token: of its algorithm, and of its id where it names one.
  bool has_key_for(const Jwt& jwt) const;
  bool verify(const Jwt& jwt) const;

  std::size_t size() const { return keys_.size(); }

 private:
  struct Key {
    std::string id;
    std::string algorithm;
    std::shared_ptr<evp_pkey_st> key;
  };

  static bool fits(const Key& key, const Jwt& jwt);

  std::vector<Key> keys_;
};

}  // namespace sentinel::proxy
