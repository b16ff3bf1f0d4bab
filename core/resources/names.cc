// SPDX-License-Identifier: Apache-2.0
// Refusing early, with the resource's name in the message, is worth more than a clever escape later.
#include "core/resources/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/digest.h"

namespace sentinel {
namespace {

constexpr std::size_t kShownBytes = 64U << 10;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

/// Length of the UTF-8 sequence at the front of `text`; 0 when there is none (overlong forms and surrogates included).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

bool is_text(std::string_view bytes) {
  while (!bytes.empty()) {
    const char c = bytes.front();
    if (is_control(c) && c != '\n' && c != '\t' && c != '\r') return false;
    const auto length = sequence_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

}  // namespace

Result<void> check_path(const std::string& path) {
  const auto refuse = [&](const char* why) {
    return Error("resource.bad-path", fmt::format("'{}' is not a usable path: {}", path, why));
  };
  if (std::any_of(path.begin(), path.end(), is_control))
    return Error("resource.bad-path", "a path holds a control character");
  if (!path.starts_with('/')) return refuse("it must begin with '/'");
  if (path.size() > 1 && path.ends_with('/')) return refuse("it must not end with '/'");
  const std::string closed = path + "/";
  for (const char* part : {"//", "/./", "/../"}) {
    if (path != "/" && closed.find(part) != std::string::npos) return refuse("it must not hold '//', '.' or '..'");
  }
  return {};
}

Result<void> check_line(std::string_view what, const std::string& text) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return is_control(c) && c != '\t'; })) {
    return Error("resource.bad-line", fmt::format("{} holds a newline or another control character", what));
  }
  return {};
}

std::string shown(const std::string& bytes) {
  if (bytes.size() <= kShownBytes && is_text(bytes)) return bytes;
  return fmt::format("({}, {} bytes, sha256 {})", is_text(bytes) ? "text" : "binary", bytes.size(), sha256_hex(bytes));
}

std::string shown_mode(std::uint32_t mode) {
  return fmt::format("{:04o}", mode);
}

}  // namespace sentinel
