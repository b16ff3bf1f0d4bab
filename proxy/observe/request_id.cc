// SPDX-License-Identifier: Apache-2.0
#include "proxy/observe/request_id.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "core/base/digest.h"

namespace sentinel::proxy {
namespace {

bool is_plain(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
         letter == '-' || letter == '_' || letter == '.' || letter == ':';
}

std::mt19937_64 seeded() {
  std::uint64_t seed = 0;
  const std::string bytes = random_bytes(sizeof seed);
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return std::mt19937_64(seed);
}

}  // namespace

std::string request_id(std::optional<std::string_view> from_client) {
  if (from_client && !from_client->empty() && from_client->size() <= 128 &&
      std::all_of(from_client->begin(), from_client->end(), is_plain)) {
    return std::string(*from_client);
  }
  return random_hex(32);
}

std::string random_hex(std::size_t digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  // A generator per thread: no system call per request.
  thread_local std::mt19937_64 generator = seeded();
  std::string text(digits, '0');
  std::uint64_t left = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (i % 16 == 0) left = generator() | 1;
    text[i] = kDigits[left & 15];
    left >>= 4;
  }
  return text;
}

}  // namespace sentinel::proxy
