// SPDX-License-Identifier: Apache-2.0
// URLs of probes: the part of RFC 3986 that an http client needs. A message never repeats a URL's query, which may hold
// a key.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/health/http_exchange.h"

namespace sentinel {
namespace {

Error bad_url(std::string why) {
  return Error("http.url", "not a URL of a probe: " + why, "write http://host:port/path or https://…",
               ExitCode::kUsage);
}

bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
}

}  // namespace

Result<HttpUrl> parse_http_url(std::string_view text) {
  HttpUrl out;
  if (text.starts_with("https://")) {
    out.tls = true;
    out.port = 443;
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return bad_url("it begins with neither http:// nor https://");
  }
  if (!is_clean(text)) return bad_url("it holds blanks or control characters");
  text = text.substr(0, text.find('#'));
  const auto end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, end);
  out.target = std::string(text.substr(end));
  if (!out.target.starts_with('/')) out.target.insert(0, "/");
  if (authority.find('@') != std::string_view::npos) return bad_url("a user or password can't stand in it");

  std::string_view port;
  if (authority.starts_with('[')) {
    const auto bracket = authority.find(']');
    if (bracket == std::string_view::npos) return bad_url("the bracket of its IPv6 address is open");
    out.host = std::string(authority.substr(1, bracket - 1));
    authority.remove_prefix(bracket + 1);
    if (!authority.empty() && !authority.starts_with(':')) return bad_url("something follows its IPv6 address");
    port = authority.empty() ? "" : authority.substr(1);
  } else {
    const auto colon = authority.find(':');
    out.host = std::string(authority.substr(0, colon));
    port = colon == std::string_view::npos ? "" : authority.substr(colon + 1);
  }
  if (out.host.empty()) return bad_url("it names no host");
  if (!port.empty()) {
    const auto [last, failure] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (failure != std::errc() || last != port.data() + port.size() || out.port == 0) {
      return bad_url(fmt::format("'{}' is no port", port));
    }
  }
  return out;
}

}  // namespace sentinel
