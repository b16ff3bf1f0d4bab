// SPDX-License-Identifier: Apache-2.0
// Several ways to recognise a token, tried in order: what one doesn't know, the next is asked about.
#pragma once

#include <vector>

#include "proxy/auth/authenticator.h"

namespace sentinel::proxy {

class AuthenticatorChain final : public Authenticator {
 public:
  /// At least one; all outlive the chain.
  explicit AuthenticatorChain(std::vector<Authenticator*> links) : links_(std::move(links)) {}

  Task<AuthOutcome> authenticate(std::string_view token) override {
    for (Authenticator* link : links_) {
      AuthOutcome outcome = co_await link->authenticate(token);
      const auto* refusal = std::get_if<AuthRefusal>(&outcome);
      if (refusal == nullptr || refusal->status != 401) co_return std::move(outcome);
    }
    co_return AuthRefusal{};
  }

 private:
  std::vector<Authenticator*> links_;
};

}  // namespace sentinel::proxy
