// SPDX-License-Identifier: Apache-2.0
// What may be said of a secret: how long it is, which kinds of characters it has, whether it is a placeholder, and a
// fingerprint under the host's key, by which two of them compare and a change is seen. Never the value.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/secret.h"

namespace sentinel {

/// {length, classes: ["lower", "upper", "digit", "other"], distinct: number of different characters, placeholder,
///  fingerprint}
nlohmann::json secret_shape(std::string_view value, const Secret& host_key);

/// What people leave in from an example: "your-…", "sk-your…", "<…>", "changeme", "xxx", nothing at all.
bool is_placeholder(std::string_view value);

}  // namespace sentinel
