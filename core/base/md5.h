// SPDX-License-Identifier: Apache-2.0
// MD5, for comparing with what dpkg recorded. It proves nothing against somebody who makes collisions.
#pragma once

#include <string>
#include <string_view>

namespace sentinel {

/// Lower-case hexadecimal (32 characters).
std::string md5_hex(std::string_view bytes);

}  // namespace sentinel
