// SPDX-License-Identifier: Apache-2.0
// Random names of a fixed form.
#include "core/model/transaction_id.h"

#include "core/base/digest.h"

namespace sentinel {

std::string new_transaction_id() { return to_hex(random_bytes(16)); }

bool is_transaction_id(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace sentinel
