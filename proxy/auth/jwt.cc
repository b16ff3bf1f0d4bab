// SPDX-License-Identifier: Apache-2.0
#include "proxy/auth/jwt.h"

#include <cmath>

#include "core/base/digest.h"
#include "core/model/json.h"

namespace sentinel::proxy {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostToken = std::size_t{16} << 10;

std::optional<Json> decoded_object(std::string_view part) {
  const std::optional<std::string> text = base64url_decode(part);
  if (!text) return std::nullopt;
  Result<Json> json = parse_json(*text);
  if (!json.ok() || !json->is_object()) return std::nullopt;
  return std::move(*json);
}

/// False: there, but not a string.
bool read(const Json& object, const char* name, std::optional<std::string>& into) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return true;
  if (!found->is_string()) return false;
  into = found->get<std::string>();
  return true;
}

/// Seconds, perhaps with a fraction; what no clock of ours can hold is refused.
bool read(const Json& object, const char* name, std::optional<JwtClaims::Time>& into) {
  const auto found = object.find(name);
  if (found == object.end()) return true;
  if (!found->is_number()) return false;
  const double seconds = found->get<double>();
  if (!(seconds >= 0 && seconds < 9e9)) return false;
  into = JwtClaims::Time(std::chrono::milliseconds(std::llround(seconds * 1000)));
  return true;
}

bool read(const Json& object, const char* name, std::vector<std::string>& into) {
  const auto found = object.find(name);
  if (found == object.end()) return true;
  const Json list = found->is_array() ? *found : Json::array({*found});
  for (const Json& entry : list) {
    if (!entry.is_string()) return false;
    into.push_back(entry.get<std::string>());
  }
  return true;
}

}  // namespace

std::optional<std::string> base64url_decode(std::string_view text) {
  std::string plain(text);
  for (char& letter : plain) {
    if (letter == '+' || letter == '/' || letter == '=') return std::nullopt;
    if (letter == '-') letter = '+';
    if (letter == '_') letter = '/';
  }
  plain.append((4 - plain.size() % 4) % 4, '=');
  return base64_decode(plain);
}

std::optional<Jwt> parse_jwt(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.size() > kMostToken) return std::nullopt;
  const std::optional<Json> header = decoded_object(token.substr(0, first));
  const std::optional<Json> claims = decoded_object(token.substr(first + 1, second - first - 1));
  std::optional<std::string> signature = base64url_decode(token.substr(second + 1));
  if (!header || !claims || !signature || header->contains("crit")) return std::nullopt;
  Jwt jwt;
  std::optional<std::string> algorithm;
  JwtClaims& found = jwt.claims;
  const bool readable = read(*header, "alg", algorithm) && read(*header, "kid", jwt.key_id) &&
                        read(*claims, "iss", found.issuer) && read(*claims, "sub", found.subject) &&
                        read(*claims, "aud", found.audience) && read(*claims, "exp", found.expires) &&
                        read(*claims, "nbf", found.not_before) && read(*claims, "email", found.email) &&
                        read(*claims, "externalId", found.external_id);
  if (!readable || !algorithm) return std::nullopt;
  jwt.algorithm = std::move(*algorithm);
  jwt.signature = std::move(*signature);
  jwt.signed_part = token.substr(0, second);
  return jwt;
}

}  // namespace sentinel::proxy
