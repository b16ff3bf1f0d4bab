// SPDX-License-Identifier: Apache-2.0
#include "proxy/redis/redis_address.h"

#include <sys/un.h>

#include <charconv>
#include <optional>

namespace sentinel::proxy {
namespace {

constexpr std::string_view kScheme = "redis://";
constexpr std::string_view kSecureScheme = "rediss://";
constexpr std::string_view kSocketScheme = "unix://";
constexpr std::string_view kDatabase = "?db=";
constexpr std::uint16_t kPort = 6379;

Error refused(std::string what) {
  return Error("proxy.redis-url", std::move(what),
               "write redis://[[user]:password@]host[:port][/database], rediss:// for TLS, or "
               "unix://[[user]:password@]/path[?db=database]",
               ExitCode::kUsage);
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out.push_back(text[at]);
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = text.substr(at + 1, 2);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || failed != std::errc() || end != digits.data() + 2) return std::nullopt;
    out.push_back(static_cast<char>(byte));
    at += 2;
  }
  return out;
}

template <typename Number>
bool read_number(std::string_view text, Number& into) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), into);
  return !text.empty() && failed == std::errc() && end == text.data() + text.size();
}

bool is_host(std::string_view host) {
  for (const char letter : host) {
    if (letter <= 0x20 || letter >= 0x7f || letter == '@' || letter == '?' || letter == '#') return false;
  }
  return !host.empty();
}

/// Takes "[user]:password@" off the front, as far as it is there.
bool take_login(std::string_view& text, RedisAddress& address) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return true;
  const std::string_view login = text.substr(0, at);
  const std::size_t colon = login.find(':');
  const std::optional<std::string> user = percent_decoded(login.substr(0, colon));
  const std::optional<std::string> password =
      percent_decoded(colon == std::string_view::npos ? std::string_view() : login.substr(colon + 1));
  if (!user || !password || password->empty()) return false;
  address.user = *user;
  address.password = Secret(*password);
  text.remove_prefix(at + 1);
  return true;
}

Result<RedisAddress> parse_socket_url(std::string_view text) {
  RedisAddress address;
  if (const std::size_t question = text.rfind('?'); question != std::string_view::npos) {
    const std::string_view query = text.substr(question);
    if (!query.starts_with(kDatabase) || !read_number(query.substr(kDatabase.size()), address.database)) {
      return refused("behind the question mark may be a database only");
    }
    text = text.substr(0, question);
  }
  if (!take_login(text, address)) return refused("the user and password are not as they should be");
  if (!text.starts_with('/') || !is_host(text)) return refused("the socket is not an absolute path");
  if (text.size() >= sizeof(sockaddr_un::sun_path)) return refused("the socket's path is longer than any can be");
  address.origin.host = std::string(text);
  address.origin.port = 0;
  return address;
}

}  // namespace

Result<RedisAddress> parse_redis_url(std::string_view text) {
  if (text.starts_with(kSocketScheme)) return parse_socket_url(text.substr(kSocketScheme.size()));
  const bool tls = text.starts_with(kSecureScheme);
  if (!tls && !text.starts_with(kScheme)) return refused("not an address of a Redis server");
  text.remove_prefix(tls ? kSecureScheme.size() : kScheme.size());
  RedisAddress address;
  address.origin.tls = tls;
  address.origin.port = kPort;
  if (const std::size_t slash = text.rfind('/'); slash != std::string_view::npos) {
    const std::string_view database = text.substr(slash + 1);
    if (!database.empty() && !read_number(database, address.database)) return refused("the database is not a number");
    text = text.substr(0, slash);
  }
  if (!take_login(text, address)) return refused("the user and password are not as they should be");
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && end == std::string_view::npos) return refused("a bracket is not closed");
  address.origin.host = std::string(bracketed ? text.substr(1, end - 1) : text.substr(0, end));
  std::string_view port = end == std::string_view::npos ? std::string_view() : text.substr(end + (bracketed ? 1 : 0));
  if (!port.empty()) {
    port.remove_prefix(1);
    if (!read_number(port, address.origin.port) || address.origin.port == 0) return refused("the port is not one");
  }
  if (!is_host(address.origin.host)) return refused("the host is not a name or an address");
  return address;
}

}  // namespace sentinel::proxy
