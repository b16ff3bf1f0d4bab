// SPDX-License-Identifier: Apache-2.0
// HTTP requests from the operator's machine, all at once, each with its own deadline (libcurl's multi interface). No
// redirect is followed: a redirect is an answer. When each piece of a body came is part of the answer, because that is
// how one sees whether something on the way holds a stream back.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/secret.h"

namespace sentinel {

struct WebRequest {
  std::string url;  ///< http or https
  std::string method = "GET";
  std::map<std::string, std::string> headers;
  Secret bearer;     ///< sent as "Authorization: Bearer ..."; empty: nothing
  std::string body;  ///< sent with POST
  /// Where to connect instead of where the URL's name leads: an address; the name stays in SNI, Host and the check of
  /// the certificate. Empty: as the name resolves.
  std::string connect_to;
  bool verify = true;      ///< the certificate must be valid for the name
  bool use_proxy = false;  ///< as the environment says (https_proxy); for an API, never for a host that is looked at
  std::string ca_file;     ///< the only authorities trusted; empty: the system's
  std::chrono::milliseconds deadline{10'000};
};

struct WebReply {
  int status = 0;
  std::string http_version;                    ///< "1.1", "2", "3"
  std::map<std::string, std::string> headers;  ///< names in lower case; of repeated ones all values, by ", "
  std::string body;                            ///< the first kMostWebBody bytes
  std::string remote_address;
  /// Milliseconds from the start to the arrival of each piece of the body; at most kMostPieces.
  std::vector<std::uint32_t> pieces_ms;
  std::uint32_t total_ms = 0;
};

inline constexpr std::size_t kMostWebBody = 1U << 20;
inline constexpr std::size_t kMostPieces = 256;

/// One result per request, in their order. Errors: `outside.lookup`, `outside.connect`, `outside.tls`,
/// `outside.timeout`, `outside.answer`. No error holds a header's value or a body. One call at a time per thread.
std::vector<Result<WebReply>> ask_web(const std::vector<WebRequest>& requests);

}  // namespace sentinel
