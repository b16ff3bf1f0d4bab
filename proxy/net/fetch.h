// SPDX-License-Identifier: Apache-2.0
// A whole call to a service: one request, the whole answer, within a time. For what isn't relayed: the account service,
// key sets.
#pragma once

#include <optional>
#include <string>

#include "proxy/net/http_client.h"

namespace sentinel::proxy {

struct FetchRequest {
  std::string method = "GET";
  Origin origin;
  std::string target;  ///< path and query
  std::string fields;  ///< complete header lines, each with CRLF; Host and Content-Length are added
  std::string body;
  std::chrono::milliseconds total{10'000};  ///< from the first step to the last byte
  std::size_t most = std::size_t{4} << 20;  ///< of the answer's body
};

struct FetchAnswer {
  ClientStatus status = ClientStatus::kConnect;  ///< kDone: the answer is whole
  int code = 0;
  std::string body;
  bool sent = false;  ///< the service may have acted on the request, also when there is no answer

  bool good() const { return status == ClientStatus::kDone && code >= 200 && code < 300; }

  /// "timeout", "500 Internal Server Error": for logs and messages.
  std::string outcome() const;
};

/// Never fails otherwise than by what it returns. `pool` and `loop` belong to the same worker.
Task<FetchAnswer> fetch(Loop& loop, ConnectionPool& pool, FetchRequest request);

}  // namespace sentinel::proxy
