// SPDX-License-Identifier: Apache-2.0
#include "core/checks/secret_shape.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "core/base/digest.h"

namespace sentinel {

bool is_placeholder(std::string_view value) {
  static constexpr std::array<std::string_view, 9> kMarks{"your-",   "your_",    "sk-your",   "changeme", "change-me",
                                                          "example", "replace-", "secret123", "password"};
  std::string lower(value);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower.empty()) return true;
  if (lower.front() == '<' && lower.back() == '>') return true;
  if (lower.find_first_not_of('x') == std::string::npos) return true;
  return std::any_of(kMarks.begin(), kMarks.end(),
                     [&](std::string_view mark) { return lower.find(mark) != std::string::npos; });
}

nlohmann::json secret_shape(std::string_view value, const Secret& host_key) {
  const auto any = [&](auto in) {
    return std::any_of(value.begin(), value.end(), [&](unsigned char c) { return in(c); });
  };
  auto classes = nlohmann::json::array();
  if (any([](unsigned char c) { return std::islower(c) != 0; })) classes.push_back("lower");
  if (any([](unsigned char c) { return std::isupper(c) != 0; })) classes.push_back("upper");
  if (any([](unsigned char c) { return std::isdigit(c) != 0; })) classes.push_back("digit");
  if (any([](unsigned char c) { return std::isalnum(c) == 0; })) classes.push_back("other");
  return {{"length", value.size()},
          {"classes", std::move(classes)},
          {"distinct", std::set<char>(value.begin(), value.end()).size()},
          {"placeholder", is_placeholder(value)},
          {"fingerprint", hmac_sha256_hex(host_key, value)}};
}

}  // namespace sentinel
