// SPDX-License-Identifier: Apache-2.0
#include "proxy/auth/account_service.h"

#include <fmt/format.h>

namespace sentinel::proxy {

FetchRequest AccountService::as_user(std::string_view method, std::string_view path, std::string_view token) const {
  FetchRequest request;
  request.method = method;
  request.origin = url.origin;
  request.target = fmt::format("{}{}", url.path, path);
  request.fields = fmt::format("Authorization: Bearer {}\r\n", token);
  request.total = timeout;
  return request;
}

FetchRequest AccountService::as_proxy(std::string_view method, std::string_view path, std::string body) const {
  FetchRequest request;
  request.method = method;
  request.origin = url.origin;
  request.target = fmt::format("{}{}", url.path, path);
  request.fields = fmt::format("x-api-key: {}\r\nContent-Type: application/json\r\n", key.reveal());
  request.body = std::move(body);
  request.total = timeout;
  return request;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '-' || letter == '_' || letter == '.' ||
                       letter == '~';
    if (plain) {
      out.push_back(letter);
    } else {
      out.append(fmt::format("%{:02X}", static_cast<unsigned char>(letter)));
    }
  }
  return out;
}

}  // namespace sentinel::proxy
