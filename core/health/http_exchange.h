// SPDX-License-Identifier: Apache-2.0
// One HTTP request and its whole answer within a time limit, over TCP, TLS or a unix socket. For probes and webhooks:
// small bodies, no connection kept, no redirect followed, no proxy.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sentinel {

struct HttpUrl {
  bool tls = false;
  std::string host;  ///< an IPv6 address without its brackets
  std::uint16_t port = 80;
  std::string target;  ///< path and query, at least "/"
};

/// "http://host[:port][/path][?query]" or https. Error `http.url`; a user or password in it is refused.
Result<HttpUrl> parse_http_url(std::string_view text);

struct HttpRequest {
  std::string url;
  std::string socket;  ///< path of a unix socket; empty: TCP
  std::string method = "GET";
  std::map<std::string, std::string> headers;  ///< values appear in no error
  std::string body;
  std::string ca_file;  ///< https: the only authorities trusted (PEM); empty: the system's
};

struct HttpReply {
  unsigned status = 0;
  std::string body;
};

/// The most an answer's body may have, in bytes.
inline constexpr std::uint64_t kMostHttpBody = 1U << 20;

/// Blocks at most `limit`, name lookup included. The certificate must be valid for the URL's host. Errors: `http.url`,
/// `http.header` (a name or value that can't stand in a head), `http.lookup`, `http.connect`, `http.tls`,
/// `http.timeout`, `http.answer` (not HTTP, cut short, too long). Any thread may call it.
Result<HttpReply> exchange_http(const HttpRequest& request, std::chrono::milliseconds limit);

/// Connects and closes. Errors `http.lookup`, `http.connect`, `http.timeout`.
Result<void> connect_tcp(const std::string& host, std::uint16_t port, std::chrono::milliseconds limit);

}  // namespace sentinel
