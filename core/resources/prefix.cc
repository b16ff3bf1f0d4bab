// SPDX-License-Identifier: Apache-2.0
// inet_pton and inet_ntop do the notations; this adds prefix lengths and masking.
#include "core/resources/prefix.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace sentinel {
namespace {

void clear_host_bits(Prefix& prefix) {
  for (int i = 0; i < 16; ++i) {
    const int kept = prefix.length - 8 * i;
    if (kept >= 8) continue;
    const auto mask = kept <= 0 ? 0U : (0xFFU << (8 - kept)) & 0xFFU;
    prefix.bytes[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(mask);
  }
}

}  // namespace

std::optional<Prefix> Prefix::parse(const std::string& text) {
  const auto slash = text.find('/');
  const std::string address = text.substr(0, slash);
  Prefix out;
  if (::inet_pton(AF_INET, address.c_str(), out.bytes.data()) == 1) {
    out.length = 32;
  } else if (::inet_pton(AF_INET6, address.c_str(), out.bytes.data()) == 1) {
    out.v6 = true;
    out.length = 128;
  } else {
    return std::nullopt;
  }
  if (slash != std::string::npos) {
    const char* begin = text.data() + slash + 1;
    const char* end = text.data() + text.size();
    int length = -1;
    const auto [stop, error] = std::from_chars(begin, end, length);
    if (error != std::errc() || stop != end || length < 0 || length > out.length) return std::nullopt;
    out.length = length;
  }
  clear_host_bits(out);
  return out;
}

std::string Prefix::to_string() const {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof text);
  if (length == (v6 ? 128 : 32)) return text;
  return fmt::format("{}/{}", text, length);
}

bool Prefix::overlaps(const Prefix& other) const {
  if (v6 != other.v6) return false;
  Prefix left = *this;
  Prefix right = other;
  left.length = right.length = std::min(length, other.length);
  clear_host_bits(left);
  clear_host_bits(right);
  return left == right;
}

}  // namespace sentinel
