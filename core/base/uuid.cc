// SPDX-License-Identifier: Apache-2.0
// RFC 9562, 5.5: the first 16 bytes of the SHA-1, with version and variant put into bytes 6 and 8.
#include "core/base/uuid.h"

#include <openssl/evp.h>

#include <array>
#include <cstdlib>

#include "core/base/digest.h"

namespace sentinel {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  std::abort();
}

std::string bytes_of(std::string_view uuid) {
  std::string digits;
  for (const char c : uuid) {
    if (c != '-') digits += c;
  }
  if (digits.size() != 32) std::abort();
  std::string out;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    out += static_cast<char>(hex_digit(digits[i]) * 16 + hex_digit(digits[i + 1]));
  }
  return out;
}

}  // namespace

std::string uuid_v5(std::string_view space, std::string_view name) {
  const std::string input = bytes_of(space).append(name);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(input.data(), input.size(), digest.data(), &length, EVP_sha1(), nullptr) != 1) std::abort();
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0FU) | 0x50U);
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3FU) | 0x80U);
  std::string text = to_hex({reinterpret_cast<const char*>(digest.data()), 16});
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, "-");
  return text;
}

}  // namespace sentinel
