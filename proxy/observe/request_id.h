// SPDX-License-Identifier: Apache-2.0
// The identity of a request in logs, answers and upstream requests: X-Request-Id, taken from the client when it is
// short and plain, made otherwise.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sentinel::proxy {

/// The client's id when it has 1 to 128 letters, digits, '-', '_', '.' or ':'; else 32 random hexadecimal digits.
std::string request_id(std::optional<std::string_view> from_client);
/// Random hexadecimal digits: not a secret, only unlikely to meet their like. Not all zero.
std::string random_hex(std::size_t digits);

}  // namespace sentinel::proxy
