// SPDX-License-Identifier: Apache-2.0
// Reason phrases of RFC 9110.
#pragma once

#include <string_view>

namespace sentinel::proxy {

/// "Not Found" for 404; "Status" for one without a name.
std::string_view status_text(int status);

}  // namespace sentinel::proxy
