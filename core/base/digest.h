// SPDX-License-Identifier: Apache-2.0
// SHA-256, HMAC-SHA-256, base64, hex and random bytes, over libcrypto.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/secret.h"

namespace sentinel {

/// Lower-case hexadecimal SHA-256 of `bytes` (64 characters).
std::string sha256_hex(std::string_view bytes);

/// SHA-256 over pieces that arrive one after another.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view bytes);
  /// Lower-case hex; call once.
  std::string finish_hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Lower-case hexadecimal HMAC-SHA-256 of `bytes` under `key`.
std::string hmac_sha256_hex(const Secret& key, std::string_view bytes);

/// `count` bytes from the kernel's generator; terminates when there are none.
std::string random_bytes(std::size_t count);
std::string to_hex(std::string_view bytes);
std::string base64_encode(std::string_view bytes);
/// Strict: no whitespace, correct padding; nothing otherwise.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace sentinel
