// SPDX-License-Identifier: Apache-2.0
// Who is asking. The seam between the request path and every way of checking a token: a file of hashed keys,
// introspection by the account service, signatures.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "proxy/net/task.h"

namespace sentinel::proxy {

/// A user that was recognised.
struct Identity {
  std::string id;     ///< keys every limit; proxy-wide unique
  std::string email;  ///< keys billing; may be empty
};

/// Why not: becomes the answer as it is (body format (a) of the error bodies).
struct AuthRefusal {
  int status = 401;
  std::string_view code = "INVALID_TOKEN";
  std::string message = "Invalid authentication token";
};

using AuthOutcome = std::variant<Identity, AuthRefusal>;

/// One instance per worker, called only on its thread; what workers share stands behind the implementations, which
/// guard it themselves. A token must never reach a log, an error or a metric.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// `token` is what follows "Bearer ", untrimmed and possibly empty; valid until the task ends. A token seen before
  /// should be answered without a wait. Trouble of a service behind it is a refusal with status 502 or 503, never an
  /// exception.
  virtual Task<AuthOutcome> authenticate(std::string_view token) = 0;
};

}  // namespace sentinel::proxy
