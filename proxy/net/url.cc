// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/url.h"

#include <fmt/format.h>

#include <charconv>

namespace sentinel::proxy {
namespace {

Error not_a_url(std::string_view text) {
  return Error("proxy.url", fmt::format("'{}' is not an address of a service", text),
               "write https://host[:port][/path]", ExitCode::kUsage);
}

bool is_host(std::string_view host, bool bracketed) {
  for (const char letter : host) {
    const bool word =
        (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
    if (!word && letter != '.' && letter != '-' && letter != '_' && !(bracketed && letter == ':')) return false;
  }
  return !host.empty();
}

}  // namespace

std::string Origin::text() const {
  return fmt::format("{}://{}:{}", tls ? "https" : "http", host, port);
}

std::string Origin::host_field() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

Result<BaseUrl> parse_base_url(std::string_view text) {
  std::string_view rest = text;
  BaseUrl url;
  if (rest.starts_with("https://")) {
    url.origin.tls = true;
    url.origin.port = 443;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return not_a_url(text);
  }
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) url.path = std::string(rest.substr(slash));
  while (!url.path.empty() && url.path.back() == '/') url.path.pop_back();
  for (const char letter : url.path) {
    if (letter <= 0x20 || letter == 0x7f || letter == '?' || letter == '#') return not_a_url(text);
  }
  const bool bracketed = authority.starts_with('[');
  const std::size_t host_end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && host_end == std::string_view::npos) return not_a_url(text);
  url.origin.host = std::string(bracketed ? authority.substr(1, host_end - 1) : authority.substr(0, host_end));
  std::string_view port =
      host_end == std::string_view::npos ? std::string_view() : authority.substr(host_end + (bracketed ? 1 : 0));
  if (!is_host(url.origin.host, bracketed)) return not_a_url(text);
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), url.origin.port);
    if (failed != std::errc() || end != port.data() + port.size() || url.origin.port == 0) return not_a_url(text);
  }
  return url;
}

}  // namespace sentinel::proxy
