// SPDX-License-Identifier: Apache-2.0
// UUIDs that are made of what they name: the same name has the same identifier, wherever and whenever it is made.
#pragma once

#include <string>
#include <string_view>

namespace sentinel {

/// UUID version 5 (RFC 9562, 5.5): SHA-1 over the namespace and the name. `space` is a UUID in its text form;
/// terminates when it is none. Not for anything that must be hard to guess or to forge.
std::string uuid_v5(std::string_view space, std::string_view name);

}  // namespace sentinel
